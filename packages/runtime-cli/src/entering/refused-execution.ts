/**
 * A program that was found, and that the kernel refuses to execute (another architecture, no `#!`, a missing interpreter): the
 * container's own failure, as with runc and crun. The process says why on its own stderr, and exits with 1.
 */

import { O_NOCTTY, O_NONBLOCK, O_PATH, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS } from '@crio-lxc/core/abi/constants'
import { type Errno, errnoName, errnoTable } from '@crio-lxc/core/abi/errno'
import { printable } from '@crio-lxc/core/errors/printable'
import { messageOf, RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { SyscallError } from '@crio-lxc/core/errors/syscall-error'
import { log } from '@crio-lxc/core/host/log/logger'
import { machineOf, type ProgramHeader, readProgramHeader } from '@crio-lxc/core/host/process/program-header'
import { close, type Fd, read } from '@crio-lxc/core/sys/fd'
import { fstat, O_RDONLY, openFile } from '@crio-lxc/core/sys/files'
import { openat2 } from '@crio-lxc/core/sys/mount'
import { pidfdGetfd } from '@crio-lxc/core/sys/process'
import { arch } from '@crio-lxc/core/sys/syscall'
import { planMessage } from '@crio-lxc/init/message-plan'
import { hostArch } from '../installation/host-arch.ts'
import { withPlanProcess } from '../plan-process/plan-process.ts'
import { refusal } from '../plan-process/step-error.ts'

/** The process waits until whoever reads its report closes that: until then its files can be looked at. */
export interface RefusedExecution {
  readonly pid: number
  readonly pidfd: number
  readonly errno: number
  /** process.args[0], and the paths at which it was looked for, in their order. */
  readonly command: string
  readonly candidates: readonly string[]
  /** process.cwd, for those that are relative. */
  readonly cwd: string
  /** Path of crio-lxc-init. */
  readonly executor: string
}

/** Writes to the process's stderr why it ends. Returns the same as an error, for whoever else is to know. */
export function sayWhyRefused(refused: RefusedExecution): RuntimeError {
  const { errno, command } = refused
  const message = refusal(command, errno)
  const reason = reasonFor(refused)
  const error = new RuntimeError('start-failed', reason === undefined ? message : `${message}: ${reason}`)
  log.info(error.message, { c: 'init', pid: refused.pid })
  try {
    writeToStderr(refused, `${printable(error.message)}\n`)
  } catch (cause) {
    log.warn(`tell the container's stderr that ${error.message}: ${messageOf(cause)}`, { c: 'init' })
  }
  return error
}

/** Nobody may read the stderr, or somebody may have filled it. */
const WRITE_MS = 1000

function writeToStderr({ pidfd, executor }: RefusedExecution, text: string): void {
  const output = pidfdGetfd(pidfd, 2)
  try {
    const plan = (report: number) => planMessage({ arch: hostArch(), output, text, report })
    const what = 'write it'
    withPlanProcess({ executor, timeoutMs: WRITE_MS, what, fds: [output], plan }, (record) => {
      if (record?.kind !== 'ready') throw new Error('it cannot be written to')
    })
  } finally {
    close(output)
  }
}

/** What is wrong with the file, as a clause; undefined when it does not show. */
function reasonFor({ pid, errno, candidates, cwd }: RefusedExecution): string | undefined {
  try {
    const root = openat2(-100, `/proc/${pid}/root`, { flags: O_PATH, resolve: 0 })
    try {
      return reasonIn({ root, cwd }, { candidates, errno: errnoName(errno) as Errno })
    } finally {
      close(root)
    }
  } catch (error) {
    log.debug(`look why it cannot be executed: ${messageOf(error)}`, { c: 'init' })
    return undefined
  }
}

/** Where the paths of the container lead: O_PATH fd of its root, and its process's working directory. */
interface Place {
  readonly root: number
  readonly cwd: string
}

/** A script's interpreter may be a script, as often as the kernel follows them. */
const MOST_INTERPRETERS = 5

function reasonIn(
  place: Place,
  { candidates, errno }: { readonly candidates: readonly string[]; readonly errno: Errno },
): string | undefined {
  const found = candidates.map((path) => lookAt(place, path)).find((file) => typeof file === 'object')
  let [subject, file]: [string, LookedAt | undefined] = ['it', found]
  for (let depth = 0; depth <= MOST_INTERPRETERS && typeof file === 'object'; depth++) {
    if (errno === 'ENOEXEC') {
      const problem = formatProblem(file.header)
      if (problem) return `${subject} ${problem}`
    }
    if (!('interpreter' in file.header)) return undefined
    const { kind, interpreter } = file.header
    const next = lookAt(place, interpreter)
    if (next === 'missing' && (errno === 'ENOENT' || errno === 'ENOTDIR')) return missing(subject, kind, interpreter)
    subject = `its ${kind === 'elf' ? 'loader' : 'interpreter'} ${JSON.stringify(interpreter)}`
    if (errno === 'EACCES' && !(typeof next === 'object' && next.executable)) return `${subject} may not be executed`
    if (errno === 'ELIBBAD' && typeof next === 'object')
      return `${subject} ${formatProblem(next.header) ?? 'is damaged'}`
    file = next
  }
  return undefined
}

function formatProblem(header: ProgramHeader): string | undefined {
  switch (header.kind) {
    case 'empty':
      return 'is empty'
    case 'marked-script':
      return 'begins with a byte order mark, which hides its #! line: remove the mark'
    case 'unknown':
      return 'is no program, and no script with a #! line: begin a script with one, such as #!/bin/sh'
    case 'script':
      return header.interpreter === '' ? 'names no interpreter in its #! line' : undefined
    case 'elf': {
      const host = machineOf(arch.name)
      if (header.machine === host) return undefined
      return `is for ${header.machine}, and this machine is ${host}: use an image for this architecture`
    }
  }
}

function missing(subject: string, kind: 'script' | 'elf', interpreter: string): string {
  const name = JSON.stringify(interpreter)
  if (kind === 'elf')
    return `${subject} needs the loader ${name}, which is not in the container: use an image with that C library, or link statically`
  if (interpreter.endsWith('\r'))
    return `${subject} names the interpreter ${name} because its lines end with CRLF: convert them to LF`
  return `${subject} names the interpreter ${name}, which is not in the container: install it, or mend the #! line`
}

/** `other`: no regular file, or none that can be opened. */
type LookedAt = { readonly header: ProgramHeader; readonly executable: boolean } | 'missing' | 'other'

/** The image's file is hostile: nothing is opened for reading before it is known to be a regular one. */
function lookAt({ root, cwd }: Place, path: string): LookedAt {
  let fd: Fd
  try {
    const absolute = path.startsWith('/') ? path : `${cwd}/${path}`
    fd = openat2(root, absolute, { flags: O_PATH, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS })
  } catch (error) {
    const gone: readonly number[] = [errnoTable.ENOENT[0], errnoTable.ENOTDIR[0]]
    return error instanceof SyscallError && gone.includes(error.errno) ? 'missing' : 'other'
  }
  try {
    const stat = fstat(fd)
    if (!stat.isFile()) return 'other'
    return { header: headerOf(fd), executable: (stat.mode & 0o111) !== 0 }
  } finally {
    close(fd)
  }
}

function headerOf(fd: number): ProgramHeader {
  const file = openFile(`/proc/self/fd/${fd}`, O_RDONLY | O_NONBLOCK | O_NOCTTY)
  try {
    return readProgramHeader((offset, length) => {
      const bytes = new Uint8Array(length)
      return bytes.subarray(0, read(file, bytes, offset))
    })
  } finally {
    close(file)
  }
}
