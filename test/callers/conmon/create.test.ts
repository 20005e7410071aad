/** CRI-O's CreateContainer through conmon: what conmon reads, reports and writes when the container ends. */
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cgroupMounts, cgroupsOf, isAlive, processStat } from '../../support/proc.ts'
import { writeRefusedPrograms } from '../../support/refused-programs.ts'
import { shareWithHost } from '../../support/spec.ts'
import { waitFor } from '../../support/wait-for.ts'
import { readLog } from '../support/cri-log.ts'
import { useCrio } from '../support/crio.ts'

const crio = useCrio()

describe('the pid file', () => {
  it('is an integer and nothing else, the pid that conmon reports and state shows', async () => {
    const { id, record, files } = await crio.create({ args: ['sleep', '1000'] })
    const text = readFileSync(files.pid, 'utf8')
    expect(text).toMatch(/^[1-9]\d*$/)
    expect(record).toEqual({ pid: Number(text) })
    expect(await crio.state(id)).toMatchObject({ id, pid: Number(text), status: 'created' })
  })

  it("holds process 1 of the container, which is conmon's child", async () => {
    const { id, record, files } = await crio.start({ args: ['sleep', '1234'] })
    const pid = record.pid ?? 0
    await waitFor(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8') === 'sleep\x001234\0')
    expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^NSpid:\t\d+\t1$/m)
    expect(processStat(pid)?.ppid).toBe(Number(readFileSync(files.conmonPid, 'utf8')))
    expect((await crio.state(id)).status).toBe('running')
  })

  it("its process is in the container's cgroup in every hierarchy", async () => {
    const { id, record } = await crio.create({ args: ['sleep', '1000'] })
    const mounted = Object.keys(cgroupMounts())
    const placed = Object.entries(cgroupsOf(record.pid ?? 0)).filter(([hierarchy]) => mounted.includes(hierarchy))
    expect(placed.length).toBe(mounted.length)
    expect(placed).toEqual(placed.map(([hierarchy]) => [hierarchy, `${crio.cgroupParent}/${id}`]))
  })
})

describe('the exit file', () => {
  it('holds 1 when the kernel refuses the program, and the log says why', async () => {
    const programs = join(crio.directory, 'programs')
    writeRefusedPrograms(programs)
    const container = await crio.start({
      args: ['/opt/missing-interpreter'],
      spec: (spec) => {
        const source = join(programs, 'opt')
        spec.mounts.push({ destination: '/opt', type: 'bind', source, options: ['bind', 'ro'] })
      },
    })
    expect(await crio.exitCode(container)).toBe('1')
    const { stdout, stderr } = readLog(container.files.log)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/\/opt\/missing-interpreter.*no such file or directory/)
  })

  it.each([0, 7, 255])('holds %i when the process exits so', async (code) => {
    expect(await crio.exitCode(await crio.start({ args: ['sh', '-c', `exit ${code}`] }))).toBe(String(code))
  })

  it.each([
    ['9', '137'],
    ['KILL', '137'],
    ['SIGKILL', '137'],
    ['TERM', '143'],
    ['15', '143'],
    ['SIGHUP', '129'],
  ])('after kill ID %s of a process in the pid namespace of the host holds %s', async (signal, code) => {
    const container = await crio.start({ args: ['sleep', '1000'], spec: (spec) => shareWithHost(spec, 'pid') })
    expect(await crio.runtime('kill', container.id, signal)).toMatchObject({ exitCode: 0 })
    expect(await crio.exitCode(container)).toBe(code)
  })

  it.each(['KILL', '9'])('holds 137 after kill ID %s of a process 1', async (signal) => {
    const container = await crio.start({ args: ['sleep', '1000'] })
    expect(await crio.runtime('kill', container.id, signal)).toMatchObject({ exitCode: 0 })
    expect(await crio.exitCode(container)).toBe('137')
  })

  it('holds 137 for a container that is killed before it was started', async () => {
    const container = await crio.create({ args: ['sleep', '1000'] })
    expect(await crio.runtime('kill', container.id, 'KILL')).toMatchObject({ exitCode: 0 })
    expect(await crio.exitCode(container)).toBe('137')
    expect(await crio.state(container.id)).toMatchObject({ status: 'stopped', pid: 0 })
  })
})

describe('output', () => {
  it('stdout and stderr reach the log apart', async () => {
    const container = await crio.start({ args: ['sh', '-c', 'echo out; echo err >&2'] })
    await crio.exitCode(container)
    expect(readLog(container.files.log)).toEqual({ stdout: 'out\n', stderr: 'err\n' })
  })

  it('a user that is not root can write to /dev/stdout', async () => {
    const user = { user: { uid: 1000, gid: 1000 } }
    const container = await crio.start({ args: ['sh', '-c', 'echo out > /dev/stdout'], process: user })
    expect(await crio.exitCode(container)).toBe('0')
    expect(readLog(container.files.log).stdout).toBe('out\n')
  })

  it('with -t the container gets a terminal through the console socket', async () => {
    const container = await crio.start({ args: ['sh', '-c', 'tty; exit 7'], process: { terminal: true } })
    expect(await crio.exitCode(container)).toBe('7')
    expect(readLog(container.files.log).stdout).toMatch(/^\/dev\/pts\/0\r?\n$/)
  })

  it('the terminal is resized through the ctl pipe', async () => {
    const command = ['sh', '-c', 'until stty size | grep -x "44 88"; do sleep 0.05; done']
    const container = await crio.start({ args: command, process: { terminal: true } })
    appendFileSync(container.files.control, '1 44 88\n')
    expect(await crio.exitCode(container)).toBe('0')
    expect(readLog(container.files.log).stdout).toContain('44 88')
  })
})

describe('a create that fails', () => {
  it.each([
    [
      'an executable that is missing',
      ['/bin/no-such-program'],
      /no-such-program.*(no such file or directory|not found)/s,
    ],
    ['a file that is not executable', ['/etc/passwd'], /\/etc\/passwd.*permission denied/s],
    ['a name that is nowhere in PATH', ['no-such-program'], /no-such-program.*executable file not found in \$PATH/s],
  ])('%s: conmon hands on the message', async (_, args, message) => {
    const { id, record, files } = await crio.create({ args })
    expect(record).toEqual({ pid: -1, message: expect.stringMatching(message) })
    expect(existsSync(files.exit)).toBe(false)
    expect(await crio.runtime('delete', '--force', id)).toMatchObject({ exitCode: 0 })
    await waitFor(() => crio.leftovers(id).length === 0).catch(() => {})
    expect(crio.leftovers(id)).toEqual([])
  })

  it('a config.json that is no JSON', async () => {
    const id = crio.id()
    const bundle = await crio.bundle(id, {})
    bundle.writeConfig('{ "ociVersion": ')
    const { record } = await crio.createFrom(bundle, id)
    expect(record).toEqual({ pid: -1, message: expect.stringMatching(/./) })
  })

  it('a rootfs that is missing', async () => {
    const { record } = await crio.create({
      spec: (spec) => {
        spec.root.path = 'no-such-rootfs'
      },
    })
    expect(record).toEqual({ pid: -1, message: expect.stringContaining('no-such-rootfs') })
  })

  it('an id that is taken, whose container goes on', async () => {
    const first = await crio.start({ args: ['sleep', '1000'] })
    const second = await crio.createFrom(await crio.bundle(first.id, { args: ['sleep', '1000'] }), first.id)
    expect(second.record).toEqual({ pid: -1, message: expect.stringMatching(/already exists/) })
    expect(await crio.state(first.id)).toMatchObject({ status: 'running', pid: first.record.pid })
  })
})

it('a container outlives its conmon, and delete --force removes it', async () => {
  const { id, record, files } = await crio.start({ args: ['sleep', '1000'] })
  const conmon = Number(readFileSync(files.conmonPid, 'utf8'))
  process.kill(conmon, 'SIGKILL')
  await waitFor(() => !isAlive(conmon))
  expect(await crio.state(id)).toMatchObject({ status: 'running', pid: record.pid })
  expect(await crio.runtime('delete', '--force', id)).toMatchObject({ exitCode: 0 })
  await waitFor(() => !isAlive(record.pid ?? 0))
})

it('no mount of a running container appears on the host', async () => {
  const { id } = await crio.start({ args: ['sleep', '1000'] })
  expect((await crio.state(id)).status).toBe('running')
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(crio.directory)
})

it('ten containers at once', async () => {
  const started = await Promise.all(
    Array.from({ length: 10 }, (_, code) => crio.start({ args: ['sh', '-c', `exit ${code}`] })),
  )
  const codes = await Promise.all(started.map((container) => crio.exitCode(container)))
  expect(codes).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
})

it('the bundle gets no file but those that conmon and the runtime were told to write', async () => {
  const container = await crio.start({ args: ['true'] })
  await crio.exitCode(container)
  const expected = ['attach', 'config.json', 'conmon.pid', 'ctl', 'exit', 'log', 'pidfile', 'rootfs', 'shm', 'winsz']
  expect(readdirSync(container.bundle.path).filter((name) => !expected.includes(name))).toEqual([])
})
