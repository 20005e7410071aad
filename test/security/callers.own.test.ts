import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../support/containers.ts'
import { isAlive } from '../support/proc.ts'
import { program } from '../support/programs.ts'
import { requires } from '../support/requires.ts'
import { messageOf } from '../support/runtime.ts'
import { waitFor } from '../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()

/** Delays every openat2 of the runtime by half a second: what it opens by then is what it has seen before. */
const slowed = ['strace', '-f', '-o', '/dev/null', '-e', 'trace=openat2', '-e', 'inject=openat2:delay_exit=500000']

it('exec never runs on the host when init ends, and is reaped, while it is looked at', async () => {
  const bundle = await t.bundle({ args: ['sleep', '1000'] })
  const id = t.id()
  // In the foreground the runtime itself is the parent, which reaps at once.
  const running = t.runtime(['run', '--keep', '--bundle', bundle.path, id])
  const { pid } = await waitFor(async () => {
    const state = await t.stateOrNone(id)
    return state?.status === 'running' && state
  })
  const entering = t.runtime(['exec', id, 'sh', '-c', 'echo entered; readlink /proc/self/ns/mnt'], { through: slowed })
  await new Promise((resolve) => setTimeout(resolve, 800))
  process.kill(pid, 'SIGKILL')
  await waitFor(() => !isAlive(pid))
  const result = await entering
  expect(result).toMatchObject({ exitCode: 255, stdout: '' })
  expect(messageOf(result)).toMatch(/container not running/)
  await running
})

describe('the modes of what the runtime makes do not depend on the umask of its caller', () => {
  it.each(['0', '777'])('umask %s', async (umask) => {
    const through = [program('launch'), '--umask', umask, '--']
    const directory = t.hostDirectory()
    const pidFile = join(directory, 'pid')
    const { id } = await t.create({ args: ['sleep', '1000'] }, { through, flags: ['--pid-file', pidFile] })
    await t.ok(['start', id], { through })
    const execPidFile = join(directory, 'exec.pid')
    await t.ok(['exec', '--detach', '--pid-file', execPidFile, id, 'sleep', '1000'], { through })
    const modes = execFileSync('find', [join(t.root, id), pidFile, execPidFile, '-printf', '%m %y %f\\n'], {
      encoding: 'utf8',
    })
    expect(modes.trim().split('\n').sort()).toEqual(
      [
        `700 d ${id}`,
        '600 f config',
        '600 f config.json',
        '600 f container.json',
        '600 f init.json',
        '600 f lxc.log',
        '711 d fifo',
        '644 f pid',
        '644 f exec.pid',
      ].sort(),
    )
  })

  it('a pid file is never written through a link that lies in wait', async () => {
    const directory = t.hostDirectory()
    const victim = join(t.hostDirectory(), 'victim')
    writeFileSync(victim, 'untouched')
    const { id } = await t.running()
    const pidFile = join(directory, 'pid')
    // The shell's pid becomes the runtime's; another user of a shared directory would have to guess it.
    const lie = 'ln -s "$1" "$2.$$.tmp"; shift 2; exec "$@"'
    await t.ok(['exec', '--detach', '--pid-file', pidFile, id, 'sleep', '1000'], {
      through: ['sh', '-c', lie, 'sh', victim, pidFile],
    })
    expect(t.read(victim)).toBe('untouched')
    expect(t.read(pidFile)).toMatch(/^\d+$/)
  })

  it.each(['create', 'exec'])('a pid file of %s is written beside a directory that lies in wait', async (verb) => {
    const directory = t.hostDirectory()
    const pidFile = join(directory, 'pid')
    const lie = 'mkdir -p "$1.$$.tmp/full"; shift; exec "$@"'
    const through = ['sh', '-c', lie, 'sh', pidFile]
    const flags = ['--pid-file', pidFile]
    if (verb === 'create') await t.create({ args: ['sleep', '1000'] }, { through, flags })
    else await t.ok(['exec', '--detach', ...flags, (await t.running()).id, 'sleep', '1000'], { through })
    expect(t.read(pidFile)).toMatch(/^\d+$/)
    expect(readdirSync(directory).filter((name) => name !== 'pid')).toEqual([expect.stringMatching(/^pid\.\d+\.tmp$/)])
  })

  it('HOME is looked up in a regular file alone: no device of the image is opened', async () => {
    const bundle = await t.bundle({ args: ['sh', '-c', 'echo $HOME'] })
    bundle.spec.process.env = ['PATH=/bin']
    bundle.writeConfig(bundle.spec)
    const passwd = join(bundle.rootfs, 'etc/passwd')
    rmSync(passwd)
    execFileSync('mknod', [passwd, 'c', '1', '11'])
    const trace = join(t.hostDirectory(), 'trace')
    const through = ['strace', '-f', '-y', '-o', trace, '-e', 'trace=openat,openat2']
    expect(await t.run(bundle, { through })).toMatchObject({ exitCode: 0, stdout: '/\n' })
    const opened = t
      .read(trace)
      .split('\n')
      .filter((line) => line.includes('passwd'))
    expect(opened.filter((line) => /= \d+<[^>]*passwd>/.test(line) && !line.includes('O_PATH'))).toEqual([])
    expect(opened.some((line) => line.includes('O_PATH'))).toBe(true)
  })
})

describe('a terminal comes from a devpts, and no device of the image is opened for one', () => {
  const onPty = { through: [program('on-pty'), '24', '80'], input: '' }

  it('/dev/pts is a directory of the image', async () => {
    const bundle = await t.bundle({
      process: { terminal: true },
      spec: (spec) => {
        spec.mounts = spec.mounts.filter(({ destination }) => !destination.startsWith('/dev'))
      },
    })
    mkdirSync(join(bundle.rootfs, 'dev/pts'))
    execFileSync('mknod', [join(bundle.rootfs, 'dev/pts/ptmx'), 'c', '1', '3'])
    const { exitCode, stdout } = await t.run(bundle, onPty)
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/open \/dev\/pts\/ptmx for process\.terminal: \/dev\/pts is no devpts/)
  })

  it('something is mounted over ptmx', async () => {
    const bundle = await t.bundle({
      process: { terminal: true },
      spec: ({ mounts }) =>
        mounts.push({ destination: '/dev/pts/ptmx', type: 'bind', source: '/dev/zero', options: ['bind'] }) as never,
    })
    const { exitCode, stdout } = await t.run(bundle, onPty)
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/open \/dev\/pts\/ptmx for process\.terminal: /)
  })
})
