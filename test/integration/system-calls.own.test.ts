/** The list of system calls in the package (scripts/package/system-calls.ts): enough for every verb. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileSeccomp } from '@crio-lxc/core/sys/seccomp'
import { describe, expect, it } from 'vitest'
import { systemCallProfile, systemCalls } from '../../scripts/package/system-calls.ts'
import { useContainers } from '../support/containers.ts'
import { program } from '../support/programs.ts'
import { requires } from '../support/requires.ts'
import type { Result } from '../support/runtime.ts'
import type { Spec } from '../support/spec.ts'

requires('root', 'own-runtime', 'cc')
const t = useContainers()

/** Of the container's program, busybox. */
const ofTheContainer = [
  'clock_nanosleep',
  'nanosleep',
  'getpgrp',
  'getpgid',
  'wait4',
  'writev',
  'readv',
  'poll',
  'pipe',
]

/** Whatever is not in `names` kills the process that calls it, and whoever waits for it says so. */
function under(names: readonly string[]): (args: readonly string[]) => Promise<Result> {
  const file = join(t.hostDirectory(), 'filter')
  const syscalls = [{ names: [...names, ...ofTheContainer], action: 'SCMP_ACT_ALLOW' as const }]
  writeFileSync(file, compileSeccomp({ defaultAction: 'SCMP_ACT_KILL_PROCESS', syscalls }).program)
  return (args) => t.runtime(args, { through: [program('under-filter'), file] })
}

const { own, libraries } = systemCalls()

const bundles: Readonly<Record<string, (spec: Spec) => void>> = {
  hooks: (spec) => {
    spec.hooks = { createRuntime: [{ path: '/bin/true' }], poststop: [{ path: '/bin/true' }] }
  },
  'a filter of its own': (spec) => {
    const syscalls = [{ names: ['reboot'], action: 'SCMP_ACT_ERRNO' }]
    spec.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls }
  },
  'a user namespace': (spec) => {
    spec.linux.namespaces.push({ type: 'user' })
    spec.linux.uidMappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }]
    spec.linux.gidMappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }]
  },
  'limits, a scheduler and what else has a call of its own': (spec) => {
    spec.linux.resources = { pids: { limit: 100 } }
    const scheduling = { scheduler: { policy: 'SCHED_BATCH' }, ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 5 } }
    Object.assign(spec.process, scheduling)
    Object.assign(spec, { domainname: 'example' })
    spec.linux.personality = { domain: 'LINUX' }
  },
}

describe('the list of system calls', () => {
  it('is a profile of the runtime-spec that lets through what is in it, and fails the rest', () => {
    const profile = JSON.parse(systemCallProfile())
    expect(profile).toMatchObject({ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 38 })
    expect(profile.syscalls.flatMap(({ names }: { names: string[] }) => names)).toEqual([...own, ...libraries])
    expect(new Set([...own, ...libraries]).size).toBe(own.length + libraries.length)
    expect(compileSeccomp(profile).program.length).toBeGreaterThan(0)
  })

  it('is enough for every verb', async () => {
    const filtered = under([...own, ...libraries])
    const ok = async (...args: string[]) =>
      expect(await filtered(args), args.join(' ')).toMatchObject({ exitCode: 0, signal: undefined })
    const { path } = await t.bundle({ args: ['sleep', '1000'] })
    const id = t.id()
    await ok('create', '--bundle', path, id)
    for (const verb of ['state', 'start', 'pause', 'resume', 'ps', 'inspect']) await ok(verb, id)
    await ok('exec', id, 'true')
    await ok('exec', '--detach', '--user', '1000:1000', id, 'sleep', '1000')
    await ok('update', '--pids-limit', '100', id)
    await ok('events', '--stats', id)
    await ok('events', '--stats', '--format', 'prometheus')
    for (const verb of ['list', 'features', 'config', 'explain']) await ok(verb)
    await ok('debug', 'plan', path)
    await ok('kill', '--all', id, 'KILL')
    await ok('delete', '--force', id)
    await ok('--monitor', 'resident', 'run', '--detach', '--bundle', path, t.id())
  })

  it.each(Object.entries(bundles))('is enough for a container with %s', async (_, spec) => {
    const bundle = await t.bundle({ args: ['true'], spec })
    const result = await under([...own, ...libraries])(['run', '--bundle', bundle.path, t.id()])
    expect(result, result.stderr).toMatchObject({ exitCode: 0 })
  })

  it.each([
    'openat2',
    'move_mount',
    'mount_setattr',
    'pivot_root',
    'setns',
    'pidfd_send_signal',
    'epoll_ctl',
    'brk',
    'memfd_create',
  ])('without %s a life does not succeed', async (name) => {
    const filtered = under([...own, ...libraries].filter((other) => other !== name))
    const { path } = await t.bundle({ args: ['sleep', '1000'] })
    const id = t.id()
    const codes: (number | undefined)[] = []
    for (const args of [
      ['run', '--detach', '--bundle', path, id],
      ['exec', id, 'true'],
      ['kill', id, 'KILL'],
    ])
      codes.push((await filtered(args)).exitCode)
    expect(codes).not.toEqual([0, 0, 0])
    await t.runtime(['delete', '--force', id])
  })
})
