/** What has a life of its own beside the process, together with a new user namespace. */
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { everywhere, HookRecorder, hookPoints } from '../../support/hook-recorder.ts'
import { childrenOf, isAlive, namespaceOf, processStat } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { messageOf, runtimePath } from '../../support/runtime.ts'
import { Agent, NO_MEDIUM } from '../../support/seccomp-agent.ts'
import { type Spec, setNamespace } from '../../support/spec.ts'
import { onTerminal } from '../../support/terminal-session.ts'
import { COUNT, FIRST, mappedBundles } from '../../support/user-namespace.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()
const { mapped } = mappedBundles(t)

describe('time namespaces', () => {
  const offsets = { monotonic: { secs: 5000, nanosecs: 7 }, boottime: { secs: 86_400 } }
  const show = ['cat', '/proc/self/timens_offsets']
  const shown = /^monotonic +5000 +7\nboottime +86400 +0\n$/

  const withTime = (spec: Spec): void => {
    setNamespace(spec, 'time')
    spec.linux.timeOffsets = offsets
  }

  it('a new one belongs to the user namespace, with its offsets, also for exec', async () => {
    const user = { uid: 7, gid: 8 }
    const { id, pid } = await t.running(await mapped({ args: ['sleep', '1000'], process: { user }, spec: withTime }))
    expect((await t.ok(['exec', id, ...show])).stdout).toMatch(shown)
    expect((await t.ok(['exec', id, 'readlink', '/proc/self/ns/time'])).stdout).toBe(`${namespaceOf(pid, 'time')}\n`)
    for (const kind of ['time', 'user']) expect(namespaceOf(pid, kind)).not.toBe(namespaceOf('self', kind))
    expect(namespaceOf(pid, 'time_for_children')).toBe(namespaceOf(pid, 'time'))
    const entered = ['-t', String(pid), '--user', '--preserve-credentials', '--time', 'readlink', '/proc/self/ns/time']
    expect(execFileSync('nsenter', entered, { encoding: 'utf8' })).toBe(`${namespaceOf(pid, 'time')}\n`)
    expect((await t.run(await mapped({ args: show, spec: withTime }))).stdout).toMatch(shown)
  })

  it('a new one in a user namespace by path', async () => {
    const first = await t.running(await mapped({ args: ['sleep', '1000'] }))
    const enter = (spec: Spec): void => setNamespace(spec, 'user', `/proc/${first.pid}/ns/user`)
    const { id, pid } = await t.running(await mapped({ args: ['sleep', '1000'], spec: withTime }, enter))
    expect(namespaceOf(pid, 'user')).toBe(namespaceOf(first.pid, 'user'))
    expect((await t.ok(['exec', id, ...show])).stdout).toMatch(shown)
  })

  it('both by path', async () => {
    const first = await t.running(await mapped({ args: ['sleep', '1000'], spec: withTime }))
    const enter = (spec: Spec): void => {
      for (const type of ['user', 'time']) setNamespace(spec, type, `/proc/${first.pid}/ns/${type}`)
    }
    const { id, pid } = await t.running(await mapped({ args: ['sleep', '1000'] }, enter))
    for (const kind of ['user', 'time', 'time_for_children'])
      expect(namespaceOf(pid, kind)).toBe(namespaceOf(first.pid, kind))
    expect((await t.ok(['exec', id, ...show])).stdout).toMatch(shown)
    expect((await t.run(await mapped({ args: show }, enter))).stdout).toMatch(shown)
  })

  it('one of the host by path, with a new user namespace', async () => {
    const child = spawn('unshare', ['--time', '--monotonic', '5000', '--fork', 'sleep', '1000'], { stdio: 'ignore' })
    t.defer(() => void child.kill('SIGKILL'))
    const other = await waitFor(() =>
      childrenOf(child.pid ?? 0).find((pid) => t.read(`/proc/${pid}/comm`) === 'sleep\n'),
    )
    t.defer(() => void process.kill(other, 'SIGKILL'))
    const spec = (spec: Spec): void => setNamespace(spec, 'time', `/proc/${other}/ns/time`)
    const { id, pid } = await t.running(await mapped({ args: ['sleep', '1000'], spec }))
    expect(namespaceOf(pid, 'time')).toBe(namespaceOf(other, 'time'))
    expect((await t.ok(['exec', id, ...show])).stdout).toMatch(/^monotonic +5000 +0\n/)
  })
})

describe('hooks', () => {
  it('of all six lists run where they should, as root of the host or as the user of the container', async () => {
    const recorder = new HookRecorder(t.hostDirectory('hooks-'))
    writeFileSync(`${recorder.directory}/order`, '')
    chmodSync(`${recorder.directory}/order`, 0o666)
    const bundle = await mapped({
      process: { user: { uid: 7, gid: 8 } },
      spec: (spec) => {
        setNamespace(spec, 'time')
        recorder.bind(spec)
        const script = `echo $1 >> order; for ns in user time net; do readlink /proc/self/ns/$ns; done > $1.ns; id -u > $1.id`
        spec.hooks = everywhere((point) => [recorder.shell(`cd ${recorder.directory}; ${script}`, point)])
      },
      args: ['sleep', '1000'],
    })
    const { id, pid } = await t.running(bundle)
    const inside = ['user', 'time', 'net'].map((kind) => namespaceOf(pid, kind))
    const outside = ['user', 'time', 'net'].map((kind) => namespaceOf('self', kind))
    await t.ok(['delete', '--force', id])
    expect(recorder.order()).toEqual(hookPoints)
    for (const point of hookPoints) {
      const own = point === 'createContainer' || point === 'startContainer'
      expect(recorder.lines(`${point}.ns`), point).toEqual(own ? inside : outside)
    }
    expect(recorder.lines('createRuntime.id')).toEqual(['0'])
    expect(recorder.lines('createContainer.id')).toEqual(['0'])
    expect(recorder.lines('startContainer.id')).toEqual(['7'])
    expect(statSync(`${recorder.directory}/startContainer.id`).uid).toBe(FIRST + 7)
  })
})

describe('linux.seccomp with an agent', () => {
  it('decides for the process and for exec', async () => {
    const agent = await new Agent(t).listening()
    const mkdir = 'mkdir /dev/made; echo status $?'
    const syscalls = [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_NOTIFY' }]
    const seccomp = { defaultAction: 'SCMP_ACT_ALLOW', listenerPath: agent.path, syscalls }
    const bundle = await mapped({
      args: ['sh', '-c', `${mkdir}; sleep 1000`],
      process: { user: { uid: 7, gid: 8 }, noNewPrivileges: false },
      spec: (spec) => Object.assign(spec.linux, { seccomp }),
    })
    const { id, pid, result } = await t.running(bundle)
    await waitFor(() => result.output().includes('status'))
    expect(result.errors()).toMatch(NO_MEDIUM)
    const exec = await t.runtime(['exec', id, 'sh', '-c', mkdir])
    expect(exec.stderr).toMatch(NO_MEDIUM)
    await waitFor(() => agent.states().length === 2)
    expect(agent.states()[0]).toMatchObject({ fds: 1, sent: { pid, state: { id, pid } } })
  })
})

describe('process.terminal', () => {
  it.each(['run', 'exec'])('%s: belongs to the user, who reads and writes it', async (verb) => {
    const env = { PATH: process.env.PATH ?? '', TERM: 'xterm' }
    const script =
      'stat -c "owner %u" $(tty); : < /dev/tty && : > /dev/console && echo open; read word; echo "<$word>"; exit 5'
    const args = ['sh', '-c', script]
    const user = { uid: 7, gid: 8 }
    const command = [runtimePath, '--root', t.root]
    if (verb === 'exec') {
      // Without a terminal of its own the container has no /dev/console.
      const { id } = await t.running(await mapped({ args: ['sleep', '1000'], process: { user } }))
      command.push('exec', '-t', id, 'sh', '-c', script.replace(' && : > /dev/console', ''))
    } else {
      const bundle = await mapped({ args, process: { user, terminal: true } })
      command.push('run', '--bundle', bundle.path, t.id())
    }
    const session = onTerminal(command, { env })
    await session.shows('open')
    session.type('typed\n')
    await session.shows('<typed>')
    expect(session.screen()).toContain('owner 7')
    expect(await session.exitCode).toBe(5)
  })
})

describe('the termination message', () => {
  const annotation = 'io.kubernetes.container.terminationMessagePath'

  function withMessage(options: string[]): { file: string; spec: (spec: Spec) => void } {
    const file = `${t.hostDirectory()}/message`
    writeFileSync(file, '')
    chmodSync(file, 0o666)
    const spec = (spec: Spec): void => {
      spec.annotations = { [annotation]: '/dev/termination-log' }
      spec.mounts.push({ destination: '/dev/termination-log', type: 'bind', source: file, options })
    }
    return { file, spec }
  }

  it.each([
    ['a bind', ['bind', 'rw']],
    ['an idmapped bind', ['bind', 'rw', 'idmap']],
  ])('in %s: of a create and of a start that fail, and of the program', async (_name, options) => {
    const failed = withMessage(options)
    const result = await t.run(await mapped({ args: ['no-such-program'], spec: failed.spec }))
    expect(result.exitCode).toBe(1)
    expect(t.read(failed.file)).toBe(`${messageOf(result)}\n`)

    const late = withMessage(options)
    const bundle = await mapped({ args: ['/bin/short-lived'], spec: late.spec })
    execFileSync('cp', ['/bin/busybox', `${bundle.rootfs}/bin/short-lived`])
    const { id, result: created } = await t.create(bundle)
    rmSync(`${bundle.rootfs}/bin/short-lived`)
    await t.ok(['start', id])
    expect(t.read(late.file)).toBe(created.errors())
    expect(t.read(late.file)).toContain('short-lived')

    const own = withMessage(options)
    await t.run(await mapped({ args: ['sh', '-c', 'echo inside > /dev/termination-log'], spec: own.spec }))
    expect(t.read(own.file)).toBe('inside\n')
  })
})

describe('--monitor=resident', () => {
  it('stays for a container in a user namespace, which lives as any other', async () => {
    const bundle = await mapped({ args: ['sh', '-c', 'trap "exit 9" TERM; while :; do sleep 0.05; done'] })
    const id = t.id()
    const pidFile = `${t.hostDirectory()}/pid`
    await t.ok(['--monitor=resident', 'create', '--pid-file', pidFile, '--bundle', bundle.path, id])
    const monitor = Number(t.read(pidFile))
    const { pid } = await t.state(id)
    expect(processStat(pid)?.ppid).toBe(monitor)
    expect(namespaceOf(monitor, 'user')).toBe(namespaceOf('self', 'user'))
    expect(namespaceOf(pid, 'user')).not.toBe(namespaceOf('self', 'user'))
    await t.ok(['start', id])
    const { stdout } = await t.ok(['exec', '--user', '7', id, 'sh', '-c', 'id -u; cat /proc/self/uid_map'])
    expect(stdout.trim().split(/\s+/)).toEqual(['7', '0', String(FIRST), String(COUNT)])
    expect(await t.runtime(['exec', id, 'sh', '-c', 'exit 5'])).toMatchObject({ exitCode: 5 })
    await t.ok(['kill', id, 'TERM'])
    await t.waitForStatus(id, 'stopped')
    await waitFor(() => !isAlive(monitor))
    await t.ok(['delete', id])
    t.expectNothingLeft()
  })

  it('goes with a container that is deleted by force, and with a create that fails', async () => {
    const bundle = await mapped({ args: ['sleep', '1000'] })
    const id = t.id()
    const pidFile = `${t.hostDirectory()}/pid`
    await t.ok(['--monitor=resident', 'create', '--pid-file', pidFile, '--bundle', bundle.path, id])
    const monitor = Number(t.read(pidFile))
    await t.ok(['delete', '--force', id])
    await waitFor(() => !isAlive(monitor))
    const failing = await mapped({ args: ['no-such-program'] })
    const result = await t.runtime(['--monitor=resident', 'create', '--bundle', failing.path, t.id()])
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toContain('no-such-program')
    t.expectNothingLeft()
  })
})
