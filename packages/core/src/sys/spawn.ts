/** Starting and reaping children: posix_spawn(3) and wait4(2). */

import { encode, Struct } from '../abi/bytes.ts'
import { SIGCHLD } from '../abi/constants.ts'
import { errnoSentence, errnoTable } from '../abi/errno.ts'
import { RuntimeError } from '../errors/runtime-error.ts'
import { engine, type Word } from './engine.ts'
import { sleep } from './fd.ts'
import type { LinkedFunction } from './linked-functions.ts'
import { monotonicMs } from './program.ts'
import { attempt, call } from './syscall.ts'

export interface SpawnOptions {
  readonly path: string
  /** What the executable is called in errors, when `path` leads to it through an fd. */
  readonly name?: string
  readonly args: readonly string[]
  readonly env: readonly string[]
  /** Descriptors that the child gets under the same numbers; everything else is CLOEXEC. */
  readonly fds: readonly number[]
  /** What becomes fd 0, 1 and 2 of the child; default: those of this process. */
  readonly stdin?: number
  readonly stdout?: number
  readonly stderr?: number
}

const POSIX_SPAWN_SETSIGDEF = 0x04
const POSIX_SPAWN_SETSIGMASK = 0x08
/** Larger than glibc's and musl's posix_spawnattr_t and posix_spawn_file_actions_t. */
const ATTRIBUTE_BYTES = 512
const SIGSET_BYTES = 128

/** `char *const strings[]`, ended by NULL; `texts` must stay in use as long as the array is. */
class StringArray {
  readonly pointers: Uint8Array
  readonly #texts: readonly Uint8Array[]

  constructor(strings: readonly string[]) {
    this.#texts = strings.map((text) => encode(`${text}\0`))
    const words = new BigUint64Array(strings.length + 1)
    for (const [i, text] of this.#texts.entries()) words[i] = BigInt(engine.address(text))
    this.pointers = new Uint8Array(words.buffer)
  }

  /** Called after the last use: what a pointer leads to is not in use because of it. */
  release(): number {
    return this.#texts.length
  }
}

/** An int that libc returns. */
function invoke(name: LinkedFunction, ...words: readonly Word[]): number {
  return engine.call(name, ...words) | 0
}

let attributes: Struct | undefined

/** The engine ignores SIGPIPE and SIGXFSZ, and its caller may have blocked signals: a child starts with each unblocked and at its default. */
function signalDefaults(): Struct {
  if (attributes) return attributes
  keepChildren()
  attributes = new Struct(ATTRIBUTE_BYTES)
  invoke('posix_spawnattr_init', attributes)
  invoke('posix_spawnattr_setsigmask', attributes, new Struct(SIGSET_BYTES))
  invoke('posix_spawnattr_setsigdefault', attributes, new Struct(SIGSET_BYTES).fill(0xff))
  invoke('posix_spawnattr_setflags', attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK)
  return attributes
}

const SIG_IGN = 1n

/** A caller that ignores SIGCHLD hands that on, and the kernel would then reap every child before `wait` (wait(2)). */
function keepChildren(): void {
  const action = new Struct(32)
  call('rt_sigaction', [SIGCHLD, null, action, 8], () => `rt_sigaction(${SIGCHLD})`)
  if (action.u64(0) === SIG_IGN)
    call('rt_sigaction', [SIGCHLD, new Struct(32), null, 8], () => `rt_sigaction(${SIGCHLD})`)
}

/** posix_spawn(3). Returns the pid; the caller reaps it with `wait`. */
export function spawn({ path, name = path, args, env, fds, stdin = 0, stdout = 1, stderr = 2 }: SpawnOptions): number {
  const actions = new Struct(ATTRIBUTE_BYTES)
  const [argv, envp] = [new StringArray(args), new StringArray(env)]
  const pid = new Struct(4)
  invoke('posix_spawn_file_actions_init', actions)
  try {
    // dup2 of an fd onto itself clears CLOEXEC in the child (glibc 2.29, POSIX 2024).
    const kept = [stdin, stdout, stderr].map((from, to) => [from, to] as const)
    for (const [from, to] of [...kept, ...fds.map((fd) => [fd, fd] as const)])
      invoke('posix_spawn_file_actions_adddup2', actions, from, to)
    const errno = invoke('posix_spawn', pid, path, actions, signalDefaults(), argv.pointers, envp.pointers)
    if (errno !== 0) throw new RuntimeError('io', `start ${name}: ${errnoSentence(errno)}${adviceFor(errno)}`)
    return pid.i32(0)
  } finally {
    invoke('posix_spawn_file_actions_destroy', actions)
    argv.release()
    envp.release()
  }
}

/** fork(2) says EAGAIN for three limits, and execve(2) EACCES for a file, a directory or a mount. */
function adviceFor(errno: number): string {
  if (errno === errnoTable.EAGAIN[0])
    return ': no more processes may be made here: raise pids.max of the cgroup, ulimit -u or kernel.pid_max'
  return errno === errnoTable.ENOMEM[0] ? ': the host or the cgroup has no memory left for another process' : ''
}

/** How a child ended: its code, or the signal that killed it. */
export type Exit = { readonly code: number } | { readonly signal: number }

/** wait4(2) for this very child; never for any. */
export function wait(pid: number): Exit {
  const status = new Struct(4)
  call('wait4', [pid, status, 0, null], () => `waitpid(${pid})`)
  return exitOf(status)
}

const WNOHANG = 1

/** Who traces a child reaps it first (ptrace(2)), and a container that does so may never do it. */
const WITHHELD_MS = 1000

/** The same of a child that has ended or been killed; undefined when that is kept from its parent for a second. */
export function waitForEnded(pid: number): Exit | undefined {
  const status = new Struct(4)
  for (const deadline = monotonicMs() + WITHHELD_MS; ; sleep(1)) {
    if (call('wait4', [pid, status, WNOHANG, null], () => `waitpid(${pid})`) === pid) return exitOf(status)
    if (monotonicMs() > deadline) return undefined
  }
}

function exitOf(status: Struct): Exit {
  const word = status.i32(0)
  return (word & 0x7f) === 0 ? { code: (word >> 8) & 0xff } : { signal: word & 0x7f }
}

/**
 * Reaps a child that has ended. It stays when somebody traces it, who is to reap it first (ptrace(2)): a container that
 * does must not hold up the runtime, whose parent inherits it.
 */
export function reap(pid: number): void {
  attempt('wait4', pid, null, WNOHANG, null)
}

/** The exit code by which a shell, conmon and runc know an exit: 128 + n for a signal. */
export function exitCode(exit: Exit): number {
  return 'code' in exit ? exit.code : 128 + exit.signal
}
