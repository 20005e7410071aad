/** Starting and reaping children without the engine's own machinery, which would take fds and wait for anything. */
import { existsSync } from 'node:fs'
import { SIGCHLD } from '../abi/constants.ts'
import { errnoSentence, errnoTable } from '../abi/errno.ts'
import { RuntimeError } from '../errors/runtime-error.ts'
import { SyscallError } from '../errors/syscall-error.ts'
import { foreign, type Library, type Native } from './foreign.ts'

export interface SpawnOptions {
  readonly path: string
  /** What the executable is called in errors, when `path` leads to it through an fd. */
  readonly name?: string
  readonly args: readonly string[]
  readonly env: readonly string[]
  /** Descriptors that the child gets under the same numbers; everything else is CLOEXEC. */
  readonly fds: readonly number[]
  /** What becomes fd 2 of the child; default: that of this process. */
  readonly stderr?: number
}

interface Calls {
  readonly spawn: Native
  readonly waitpid: Native
  readonly attributes: Buffer
}

const SIG_DFL = 0
const SIG_IGN = 1
const POSIX_SPAWN_SETSIGDEF = 0x04
const POSIX_SPAWN_SETSIGMASK = 0x08
/** Larger than glibc's and musl's posix_spawnattr_t and posix_spawn_file_actions_t. */
const ATTRIBUTE_BYTES = 512
const SIGSET_BYTES = 128

let declared: Calls | undefined
let libc: Library | undefined

function calls(): Calls {
  if (declared) return declared
  libc = foreign().load('libc.so.6')
  const attributes = Buffer.alloc(ATTRIBUTE_BYTES)
  keepChildren(libc.func('intptr_t signal(int signal, intptr_t handler)'))
  // Engines ignore SIGPIPE and may hand on a mask: a child starts with every signal unblocked and at its default.
  libc.func('int posix_spawnattr_init(void *attributes)')(attributes)
  libc.func('int posix_spawnattr_setsigmask(void *attributes, void *set)')(attributes, Buffer.alloc(SIGSET_BYTES))
  libc.func('int posix_spawnattr_setsigdefault(void *attributes, void *set)')(
    attributes,
    Buffer.alloc(SIGSET_BYTES, 0xff),
  )
  const flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
  libc.func('int posix_spawnattr_setflags(void *attributes, short flags)')(attributes, flags)
  declared = {
    spawn: libc.func(
      'int posix_spawn(void *pid, const char *path, void *actions, void *attributes, const char **argv, const char **envp)',
    ),
    waitpid: libc.func('int waitpid(int pid, void *status, int options)'),
    attributes,
  }
  return declared
}

/** A caller that ignores SIGCHLD hands that on, and the kernel would then reap every child before `wait` (wait(2)). */
function keepChildren(signal: (...args: unknown[]) => number): void {
  const previous = Number(signal(SIGCHLD, SIG_DFL))
  if (previous !== SIG_IGN) signal(SIGCHLD, previous)
}

/** posix_spawn(3). Returns the pid; the caller reaps it with `wait`. */
export function spawn({ path, name = path, args, env, fds, stderr }: SpawnOptions): number {
  const { spawn: posixSpawn, attributes } = calls()
  const actions = Buffer.alloc(ATTRIBUTE_BYTES)
  libc?.func('int posix_spawn_file_actions_init(void *actions)')(actions)
  // dup2 of an fd onto itself clears CLOEXEC in the child (glibc 2.29, POSIX 2024).
  const adddup2 = libc?.func('int posix_spawn_file_actions_adddup2(void *actions, int from, int to)')
  for (const fd of [...standard(), ...fds]) adddup2?.(actions, fd, fd)
  if (stderr !== undefined) adddup2?.(actions, stderr, 2)
  const pid = Buffer.alloc(4)
  const errno = posixSpawn(pid, path, actions, attributes, [...args, null], [...env, null])
  libc?.func('int posix_spawn_file_actions_destroy(void *actions)')(actions)
  if (errno !== 0) throw new RuntimeError('io', `start ${name}: ${errnoSentence(errno)}${adviceFor(errno)}`)
  return pid.readInt32LE(0)
}

/** fork(2) says EAGAIN for three limits, and execve(2) EACCES for a file, a directory or a mount. */
function adviceFor(errno: number): string {
  if (errno === errnoTable.EAGAIN[0])
    return ': no more processes may be made here: raise pids.max of the cgroup, ulimit -u or kernel.pid_max'
  return errno === errnoTable.ENOMEM[0] ? ': the host or the cgroup has no memory left for another process' : ''
}

/**
 * Both engines have standard descriptors with CLOEXEC: Node all of them, Bun the null device that it puts in the place of
 * one that the caller had closed. A program without one would get it for the first file it opens.
 */
function standard(): number[] {
  return process.versions['bun'] === undefined ? [0, 1, 2].filter((fd) => existsSync(`/proc/self/fd/${fd}`)) : [0, 1, 2]
}

/** How a child ended: its code, or the signal that killed it. */
export type Exit = { readonly code: number } | { readonly signal: number }

/** waitpid(2) for this very child; never for any, which would steal the engine's. */
export function wait(pid: number): Exit {
  const { waitpid } = calls()
  const status = Buffer.alloc(4)
  const { errno: lastErrno } = foreign()
  for (;;) {
    const result = waitpid(pid, status, 0)
    const errno = result === -1 ? lastErrno() : 0
    if (result === pid) break
    if (errno !== errnoTable.EINTR[0]) throw new SyscallError(`waitpid(${pid})`, errno)
  }
  const word = status.readInt32LE(0)
  return (word & 0x7f) === 0 ? { code: (word >> 8) & 0xff } : { signal: word & 0x7f }
}

const WNOHANG = 1

/**
 * Reaps a child that has ended. It stays when somebody traces it, who is to reap it first (ptrace(2)): a container that
 * does must not hold up the runtime, whose parent inherits it.
 */
export function reap(pid: number): void {
  calls().waitpid(pid, Buffer.alloc(4), WNOHANG)
}

/** The exit code by which a shell, conmon and runc know an exit: 128 + n for a signal. */
export function exitCode(exit: Exit): number {
  return 'code' in exit ? exit.code : 128 + exit.signal
}
