import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { consoleSocket } from '../../support/console-socket.ts'
import { type Created, useContainers } from '../../support/containers.ts'
import { departure, type PlannedStep, strace, Traces } from '../../support/plan-trace.ts'
import { cgroupMounts, cgroupsOf } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { Agent } from '../../support/seccomp-agent.ts'
import { type Process, type Spec, setNamespace, shareWithHost } from '../../support/spec.ts'
import { giveImage, mapIds } from '../../support/user-namespace.ts'

requires('root', 'own-runtime', 'x64')
const t = useContainers()

interface Calling {
  /** Of exec and of its plan. */
  readonly flags?: readonly string[]
  /** Of exec alone. */
  readonly detach?: boolean
  /** Before the verbs. */
  readonly global?: readonly string[]
  readonly command?: readonly string[]
  /** What runs exec, itself run by strace. */
  readonly through?: readonly string[]
}

/** The system calls of exec in a container are those that debug plan prints of its bundle, with and without --json. */
async function expectSame({ id, bundle }: Created, calling: Calling = {}): Promise<void> {
  const { flags = [], detach = false, global = [], command = ['true'], through = [] } = calling
  const plan = [...global, 'debug', 'plan', '--exec', ...flags]
  const { exec } = JSON.parse((await t.ok([...plan, '--json', bundle.path, '--', ...command])).stdout) as {
    exec: PlannedStep[]
  }
  const text = (await t.ok([...plan, '--steps', bundle.path, '--', ...command])).stdout
  expect(text.match(/^ *\d+ {2}.*: [a-z]\w*\(/gm) ?? []).toHaveLength(exec.length)
  const directory = t.hostDirectory('trace-')
  await t.ok([...global, 'exec', ...(detach ? ['--detach'] : []), ...flags, id, ...command], {
    through: [...strace(directory), ...through],
    timeoutMs: 50_000,
  })
  const { process, left } = new Traces(directory).entered
  expect(departure(exec, process, 'execute process.args')).toBeUndefined()
  expect(departure(exec, left, 'report the pid')).toBeUndefined()
}

async function container(...changes: readonly ((spec: Spec) => void)[]): Promise<Created> {
  const bundle = await t.bundle({
    args: ['sleep', '1000'],
    spec: (spec) => {
      for (const change of changes) change(spec)
    },
  })
  if (changes.includes(mapIds)) giveImage(bundle)
  return await t.running(bundle)
}

const document: Process = {
  args: ['true'],
  cwd: '/tmp',
  env: ['PATH=/bin', 'A=b'],
  user: { uid: 7, gid: 8, umask: 0o27, additionalGids: [9, 10] },
  capabilities: { bounding: ['CAP_CHOWN', 'CAP_KILL'], permitted: ['CAP_KILL'], effective: ['CAP_KILL'] },
  rlimits: [
    { type: 'RLIMIT_NOFILE', soft: 100, hard: 200 },
    { type: 'RLIMIT_CORE', soft: 0, hard: 4096 },
  ],
  noNewPrivileges: true,
  oomScoreAdj: 20,
  scheduler: { policy: 'SCHED_BATCH', nice: 3 },
  ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 5 },
  execCPUAffinity: { initial: '0', final: '0-1' },
}

/** Flags of exec, and what its plan differs by. */
const kinds: Readonly<Record<string, readonly string[]>> = {
  'a user': ['--user', '5:6'],
  'capabilities of a user': ['--user', '5', '--cap', 'CAP_NET_ADMIN', '--cap', 'CAP_SYS_TIME'],
  'a working directory': ['--cwd', '/tmp'],
  'more groups': ['--additional-gids', '7', '--additional-gids', '8'],
  'no new privileges': ['--no-new-privs'],
  'an environment': ['--env', 'A=b', '--env', 'C=d e'],
}

describe('debug plan --exec prints the system calls that exec makes', () => {
  for (const [mapped, enter] of [
    ['', () => undefined],
    [' in a user namespace', mapIds],
  ] as const) {
    test(`of a command, and of all flags${mapped}`, async () => {
      const created = await container(enter)
      await expectSame(created)
      for (const flags of Object.values(kinds)) await expectSame(created, { flags })
      await expectSame(created, { flags: Object.values(kinds).flat(), detach: true })
    })

    test(`with a terminal${mapped}`, async () => {
      const created = await container(enter, (spec) => {
        spec.process.consoleSize = { height: 24, width: 80 }
      })
      await expectSame(created, { flags: ['--tty'] })
      await expectSame(created, { flags: ['--tty', '--console-socket', await consoleSocket(t)], detach: true })
    })

    test(`of process.json${mapped}`, async () => {
      const created = await container(enter)
      const file = join(t.hostDirectory('process-'), 'process.json')
      writeFileSync(file, JSON.stringify(document))
      await expectSame(created, { flags: ['--process', file], command: [] })
    })

    test(`with what the container's process has${mapped}`, async () => {
      const created = await container(enter, (spec) => {
        const { args, env, user, ...others } = document
        Object.assign(spec.process, others)
      })
      await expectSame(created)
    })

    test(`without a cgroup namespace, and in the host's network${mapped}`, async () => {
      await expectSame(await container(enter, (spec) => shareWithHost(spec, 'cgroup', 'network')))
    })

    test(`with a filter${mapped}`, async () => {
      const created = await container(enter, (spec) => {
        spec.linux.seccomp = {
          defaultAction: 'SCMP_ACT_ALLOW',
          syscalls: [{ names: ['acct'], action: 'SCMP_ACT_ERRNO' }],
        }
      })
      await expectSame(created)
      await expectSame(created, { flags: ['--no-new-privs', '--user', '5'] })
    })

    test(`with descriptors of the caller${mapped}`, async () => {
      const through = ['sh', '-c', 'exec 3</etc/passwd 4</etc/group; exec "$@"', 'sh']
      await expectSame(await container(enter), { flags: ['--preserve-fds', '2'], through })
    })
  }

  test('with a filter whose agent is asked', async () => {
    const agent = await new Agent(t).listening()
    const created = await container((spec) => {
      spec.linux.seccomp = {
        defaultAction: 'SCMP_ACT_ALLOW',
        listenerPath: agent.path,
        syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_NOTIFY' }],
      }
    })
    await expectSame(created)
  })

  test('with namespaces of another container, and with those of the host by their paths', async () => {
    const { pid } = await container()
    const joined = (...types: readonly (readonly [string, string])[]) =>
      container((spec) => {
        for (const [type, path] of types) setNamespace(spec, type, path)
      })
    const of = (process: number | string, file: string) => `/proc/${process}/ns/${file}`
    await expectSame(await joined(['network', of(pid, 'net')], ['ipc', of(pid, 'ipc')], ['uts', of(pid, 'uts')]))
    await expectSame(await joined(['network', of('self', 'net')], ['cgroup', of('self', 'cgroup')]))
    const withoutCgroup = await container((spec) => {
      shareWithHost(spec, 'cgroup')
      setNamespace(spec, 'network', of(pid, 'net'))
    })
    await expectSame(withoutCgroup)
  })

  test('in a time namespace', async () => {
    await expectSame(
      await container((spec) => {
        setNamespace(spec, 'time')
        spec.linux.timeOffsets = { boottime: { secs: 1000 } }
      }),
    )
  })

  test('where the operator has switched something off', async () => {
    for (const global of [['--seccomp=false'], ['--capabilities=false']]) {
      const bundle = await t.bundle({ args: ['sleep', '1000'] })
      const id = t.id()
      await t.ok([...global, 'create', '--bundle', bundle.path, id])
      await expectSame({ id, bundle } as Created, { global })
    }
  })

  test('in a cgroup below', async () => {
    const created = await container()
    const own = cgroupsOf(created.pid)
    const directories = Object.entries(cgroupMounts()).flatMap(([name, mount]) =>
      own[name] === undefined ? [] : [join(mount, own[name], 'below')],
    )
    for (const directory of directories) {
      mkdirSync(directory, { recursive: true })
      for (const file of ['cpuset.cpus', 'cpuset.mems'].filter((file) => existsSync(join(directory, file))))
        writeFileSync(join(directory, file), readFileSync(join(directory, '..', file)))
    }
    t.defer(() => {
      for (const directory of directories) rmdirSync(directory)
    })
    await expectSame(created, { flags: ['--cgroup', 'below'] })
  })
})

describe('debug plan --exec with AppArmor', () => {
  requires('apparmor')

  test('prints the system calls that exec makes', async () => {
    await expectSame(await container(), { flags: ['--apparmor', 'unconfined'] })
  })
})
