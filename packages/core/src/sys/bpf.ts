/** bpf(2) for cgroup device programs: loading one, and attaching it to a cgroup v2 directory. */

import { decode, encode, Struct } from '../abi/bytes.ts'
import { errnoTable } from '../abi/errno.ts'
import { SyscallError } from '../errors/syscall-error.ts'
import { engine } from './engine.ts'
import type { Fd } from './fd.ts'
import { type FdScope, withFds } from './fd-scope.ts'
import { call } from './syscall.ts'

/** enum bpf_cmd, bpf_prog_type, bpf_attach_type and flags; linux/bpf.h. */
const BPF_PROG_LOAD = 5
const BPF_PROG_ATTACH = 8
const BPF_PROG_DETACH = 9
const BPF_PROG_GET_FD_BY_ID = 13
const BPF_PROG_QUERY = 16
const BPF_PROG_TYPE_CGROUP_DEVICE = 15
const BPF_CGROUP_DEVICE = 6
const BPF_F_ALLOW_MULTI = 2
const BPF_F_REPLACE = 4
/** BPF_CGROUP_MAX_PROGS of kernel/bpf/cgroup.c. */
const MAX_PROGRAMS = 64

const LOG_BYTES = 1 << 18
const INSTRUCTION_BYTES = 8

/**
 * Makes `program` the device program of the cgroup that `cgroup` is open on, with those of its ancestors still asked as
 * well. Nothing is unrestricted in between: the only program there is replaced in one step (BPF_F_REPLACE), several
 * (which all must agree) are detached after the new one is in effect. Throws SyscallError.
 */
export function setDeviceProgram(cgroup: number, program: Uint8Array): void {
  withFds((fds) => {
    const present = queryPrograms(cgroup).flatMap((id) => openProgram(id, fds))
    const loaded = fds.keep(loadDeviceProgram(program))
    const [only] = present
    if (only !== undefined && present.length === 1) {
      attach(BPF_PROG_ATTACH, [cgroup, loaded, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI | BPF_F_REPLACE, only])
      return
    }
    addDeviceProgram(cgroup, loaded)
    for (const old of present) attach(BPF_PROG_DETACH, [cgroup, old, BPF_CGROUP_DEVICE])
  })
}

/** Attaches a loaded program beside those that are there: an access then takes the consent of all. */
export function addDeviceProgram(cgroup: number, program: number): void {
  attach(BPF_PROG_ATTACH, [cgroup, program, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI])
}

/** Returns the program's fd, CLOEXEC as all of bpf(2)'s; the error of a refused one ends with the verifier's last words. */
export function loadDeviceProgram(program: Uint8Array): Fd {
  const what = `BPF_PROG_LOAD, ${program.length} bytes`
  try {
    return load(program, what)
  } catch (error) {
    if (!(error instanceof SyscallError) || !['EINVAL', 'EACCES'].includes(error.errnoName)) throw error
    // Asked for only now, because a log slows the verifier down.
    const log = new Uint8Array(LOG_BYTES)
    try {
      return load(program, what, log)
    } catch (again) {
      const words = decode(log.subarray(0, log.indexOf(0)))
        .trim()
        .split('\n')
      // The last line counts instructions.
      const line = words.findLast((text) => text !== '' && !/^(processed|verification time|stack depth)/.test(text))
      throw again instanceof SyscallError && line
        ? new SyscallError(`${again.call}: verifier: ${line}`, again.errno)
        : again
    }
  }
}

function load(program: Uint8Array, what: string, log?: Uint8Array): Fd {
  // The program calls no helper of the kernel, so its licence does not matter.
  const license = encode('Apache\0')
  const attr = new Struct(64)
  attr.set32(0, BPF_PROG_TYPE_CGROUP_DEVICE)
  attr.set32(4, program.length / INSTRUCTION_BYTES)
  attr.set64(8, engine.address(program))
  attr.set64(16, engine.address(license))
  if (log) {
    attr.set32(24, 1)
    attr.set32(28, log.length)
    attr.set64(32, engine.address(log))
  }
  attr.set(encode('crio_lxc_device'), 48)
  for (let attempt = 1; ; attempt++) {
    try {
      return bpf(BPF_PROG_LOAD, attr, [program, license, log], what) as Fd
    } catch (error) {
      // A signal interrupted the verifier (bpf_check): five times, as libbpf does.
      if (!(error instanceof SyscallError) || error.errno !== errnoTable.EAGAIN[0] || attempt === 5) throw error
    }
  }
}

/** target_fd, attach_bpf_fd, attach_type, attach_flags, replace_bpf_fd. */
function attach(command: number, words: readonly number[]): void {
  const attr = new Struct(20)
  words.forEach((word, index) => {
    attr.set32(4 * index, word)
  })
  bpf(command, attr, [], command === BPF_PROG_ATTACH ? 'BPF_PROG_ATTACH' : 'BPF_PROG_DETACH')
}

/** Ids of the device programs that are attached to this very cgroup. */
export function queryPrograms(cgroup: number): number[] {
  const ids = new Struct(4 * MAX_PROGRAMS)
  const attr = new Struct(32)
  attr.set32(0, cgroup)
  attr.set32(4, BPF_CGROUP_DEVICE)
  attr.set64(16, engine.address(ids))
  attr.set32(24, MAX_PROGRAMS)
  bpf(BPF_PROG_QUERY, attr, [ids], 'BPF_PROG_QUERY')
  return Array.from({ length: attr.u32(24) }, (_, index) => ids.u32(4 * index))
}

/** None when the program has gone meanwhile. */
function openProgram(id: number, fds: FdScope): Fd[] {
  const attr = new Struct(12)
  attr.set32(0, id)
  try {
    return [fds.keep(bpf(BPF_PROG_GET_FD_BY_ID, attr, [], `BPF_PROG_GET_FD_BY_ID, ${id}`) as Fd)]
  } catch (error) {
    if (error instanceof SyscallError && error.errno === errnoTable.ENOENT[0]) return []
    throw error
  }
}

/** `pointees` are what `attr` points at: as arguments, which the kernel ignores, they stay alive until the call returns. */
function bpf(command: number, attr: Uint8Array, pointees: readonly (Uint8Array | undefined)[], text: string): number {
  const [first = null, second = null, third = null] = pointees
  return call('bpf', [command, attr, attr.length, first, second, third], () => `bpf(${text})`)
}
