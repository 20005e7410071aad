/**
 * How much of the image tmpcopyup may bring into memory. The copy is made by create, so that no limit of the container's
 * cgroup counts it; a hostile image must not fill the memory of the host.
 */

import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import type { Spec } from '@crio-lxc/core/oci/spec'
import { readText } from '@crio-lxc/core/sys/files'

/** Of the memory that is available: the rest is the host's. */
const PART = 0.5
/** What a tmpfs needs for an entry beside its content, bytes. */
const ENTRY_BYTES = 1024

export class CopyBudget {
  #left: number

  /** `what` names the limit. */
  constructor(
    readonly bytes: number,
    readonly what: string,
  ) {
    this.#left = bytes
  }

  /** Of all mounts of the container together: linux.resources.memory.limit, or a part of what the host has left. */
  static of({ linux }: Spec): CopyBudget {
    const limit = Number(linux?.resources?.memory?.limit ?? -1)
    const available = availableBytes() * PART
    return limit > 0 && limit < available
      ? new CopyBudget(limit, 'linux.resources.memory.limit')
      : new CopyBudget(available, 'half of the memory that the host has available')
  }

  /** Throws RuntimeError when so many bytes more are too many. */
  take(bytes: number): void {
    this.#left -= bytes
    if (this.#left >= 0) return
    const advice = 'mount a volume there, or leave tmpcopyup out'
    throw new RuntimeError('io', `it has more than ${Math.floor(this.bytes)} bytes, ${this.what}: ${advice}`)
  }

  takeEntry(): void {
    this.take(ENTRY_BYTES)
  }
}

/** MemAvailable of proc_meminfo(5), or the free memory where a kernel does not tell it. */
function availableBytes(): number {
  const text = readText('/proc/meminfo')
  const kibibytes = /^MemAvailable:\s+(\d+)/m.exec(text)?.[1] ?? /^MemFree:\s+(\d+)/m.exec(text)?.[1] ?? '0'
  return Number(kibibytes) * 1024
}
