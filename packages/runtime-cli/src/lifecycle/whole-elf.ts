import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { reasonOf } from '@crio-lxc/core/errors/system-error'
import { libexecDir } from '@crio-lxc/core/sys/libexec'

const HEADER_BYTES = 64

/** Whether a 64-bit ELF file has its end: elf(5); the table of sections is what linkers put last. */
export function isWholeElf(fd: number): boolean {
  const head = Buffer.alloc(HEADER_BYTES)
  if (readSync(fd, head, 0, HEADER_BYTES, 0) < HEADER_BYTES || head.toString('latin1', 0, 4) !== '\x7fELF') return false
  const end = head.readBigUInt64LE(40) + BigInt(head.readUInt16LE(58) * head.readUInt16LE(60))
  return end <= BigInt(fstatSync(fd).size)
}

/**
 * A verb that waits in the foreground loads koffi when the container runs already, to be able to handle signals: without
 * it nothing may start. Throws RuntimeError `io`.
 */
export function checkForeground(): void {
  const path = `${libexecDir()}/koffi.node`
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (error) {
    throw new RuntimeError('io', `open ${path}: ${reasonOf(error)}: install the whole tree again`)
  }
  try {
    if (!isWholeElf(fd)) throw new RuntimeError('io', `${path} is cut short: install the whole tree again`)
  } finally {
    closeSync(fd)
  }
}
