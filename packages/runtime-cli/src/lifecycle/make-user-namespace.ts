/** A user namespace that holds nothing but its id maps, for what takes these as an fd. */
import { closeSync, openSync, writeSync } from 'node:fs'
import type { Arch } from '@crio-lxc/core/abi/arch'
import { errnoSentence } from '@crio-lxc/core/abi/errno'
import { messageOf, RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { compile } from '@crio-lxc/core/plan/compile'
import { readRecord } from '@crio-lxc/core/process/plan-record'
import { spawnExecutor } from '@crio-lxc/core/sys/executor'
import { memfdCreate, pipe } from '@crio-lxc/core/sys/libc'
import { wait } from '@crio-lxc/core/sys/spawn'
import { planUserNamespace } from '@crio-lxc/init/user-namespace-plan'

export interface NewUserNamespace {
  readonly arch: Arch
  /** Path of crio-lxc-init. */
  readonly init: string
  readonly timeoutMs: number
  /** Lines of uid_map and gid_map (user_namespaces(7)). */
  readonly uidMap: string
  readonly gidMap: string
}

/** fd of the namespace. The process that made it has ended and is reaped, also when this throws RuntimeError. */
export function makeUserNamespace({ arch, init, timeoutMs, uidMap, gidMap }: NewUserNamespace): number {
  const own: number[] = []
  const given: number[] = []
  let child: number | undefined
  try {
    const [reportRead, report] = pipe()
    own.push(reportRead)
    given.push(report)
    const [hold, holdWrite] = pipe()
    own.push(holdWrite)
    given.push(hold)
    const file = memfdCreate('plan')
    given.push(file)
    writeSync(file, compile(planUserNamespace({ arch, report, hold }), report))
    child = spawnExecutor({ path: init, plan: file, fds: [report, hold] })
    // Only the child may hold these: end of file is how either side learns that the other is gone.
    for (const fd of given.splice(0)) closeSync(fd)
    const record = readRecord(reportRead, { timeoutMs, what: 'make a user namespace' })
    if (record.kind === 'failure')
      throw new RuntimeError('io', `unshare(CLONE_NEWUSER): ${errnoSentence(record.errno)}`)
    if (record.kind !== 'ready') throw new RuntimeError('io', 'the process that was to make it ended')
    writeMap(`/proc/${child}/uid_map`, uidMap)
    writeMap(`/proc/${child}/gid_map`, gidMap)
    return openSync(`/proc/${child}/ns/user`, 'r')
  } finally {
    for (const fd of [...own, ...given]) closeSync(fd)
    if (child !== undefined) {
      process.kill(child, 'SIGKILL')
      wait(child)
    }
  }
}

/** In one write, as user_namespaces(7) demands. */
function writeMap(path: string, map: string): void {
  const fd = openSync(path, 'w')
  try {
    writeSync(fd, map)
  } catch (cause) {
    throw new RuntimeError('io', `write ${path}: ${messageOf(cause).replace(/^\w+: |, write$/g, '')}`, { cause })
  } finally {
    closeSync(fd)
  }
}
