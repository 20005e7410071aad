/** What Debian's runc does not have: --pidfd-socket, and descriptors of the runtime's own that are not preserved. */
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { capabilityMask, type ProbeReport, parseProbe } from '../../support/probe.ts'
import { program } from '../../support/programs.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()

/** A listening pidfd socket. */
class PidfdSocket {
  readonly path = join(t.hostDirectory(), 'pidfd.sock')
  readonly #child: ChildProcess
  #text = ''

  constructor() {
    this.#child = spawn(program('pidfd-receiver'), [this.path], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child.stdout?.on('data', (data: Buffer) => {
      this.#text += data.toString()
    })
    t.defer(() => void this.#child.kill('SIGKILL'))
  }

  async listening(): Promise<this> {
    await waitFor(() => this.#text.startsWith('listening\n'))
    return this
  }

  async received(): Promise<unknown> {
    return JSON.parse(await waitFor(() => /^\{.*\}$/m.exec(this.#text)?.[0]))
  }

  /** When the process behind the pidfd has ended. */
  ended(): Promise<unknown> {
    return waitFor(() => this.#text.endsWith('ended\n'))
  }
}

describe('--pidfd-socket', () => {
  it.each([
    ['create', []],
    ['run', ['--detach']],
  ])('%s sends a pidfd of init, one descriptor in one message', async (verb, flags) => {
    const socket = await new PidfdSocket().listening()
    const bundle = await t.bundle({ args: ['sleep', '1000'] })
    const id = t.id()
    await t.ok([verb, ...flags, '--bundle', bundle.path, '--pidfd-socket', socket.path, id])
    const { pid } = await t.state(id)
    expect(await socket.received()).toEqual({ text: 'standard', controlMessages: 1, fds: 1, pid })
    await t.ok(['kill', id, 'KILL'])
    await socket.ended()
  })

  it('exec sends one of its process', async () => {
    const socket = await new PidfdSocket().listening()
    const { id } = await t.running()
    const pidFile = join(t.hostDirectory(), 'pid')
    const flags = ['--detach', '--pid-file', pidFile, '--pidfd-socket', socket.path]
    await t.ok(['exec', ...flags, id, 'sleep', '1000'])
    const pid = Number(t.read(pidFile))
    expect(await socket.received()).toEqual({ text: 'setns', controlMessages: 1, fds: 1, pid })
    process.kill(pid, 'SIGKILL')
    await socket.ended()
  })

  it('that nobody listens on fails create and leaves nothing', async () => {
    const bundle = await t.bundle()
    const path = join(t.hostDirectory(), 'nobody.sock')
    const result = await t.runtime(['create', '--pidfd-socket', path, '--bundle', bundle.path, t.id()])
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toContain(`connect to the pidfd socket ${path}: no such file or directory`)
    t.expectNothingLeft()
  })

  it('that nobody listens on fails exec with 255, and nothing runs', async () => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', '--pidfd-socket', '/no/such/socket', id, 'echo', 'ran'])
    expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    expect(messageOf(result)).toContain('pidfd socket /no/such/socket')
  })

  it('whose receiver goes away fails create and leaves nothing', async () => {
    const path = join(t.hostDirectory(), 'closing.sock')
    const script = `require('node:net').createServer((c) => c.destroy()).listen(process.argv[1], () => console.log('up'))`
    const server = spawn(process.execPath, ['-e', script, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.defer(() => void server.kill('SIGKILL'))
    await new Promise((resolve) => server.stdout.once('data', resolve))
    const bundle = await t.bundle({ args: ['sleep', '1000'] })
    const result = await t.runtime(['create', '--pidfd-socket', path, '--bundle', bundle.path, t.id()])
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toMatch(/^send the pidfd of \d+ to the pidfd socket: broken pipe/)
    t.expectNothingLeft()
  })
})

describe('--preserve-fds never passes a descriptor of the runtime', () => {
  it.each([1, 2, 3, 10])('exec --preserve-fds %i without one', async (count) => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', '--preserve-fds', String(count), id, '/probe'])
    expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    expect(messageOf(result)).toBe(`preserve ${count} file descriptors: 3 is not open: open all from 3 on`)
  })

  it.each(['create', 'run'])('%s --preserve-fds 3 without one, with log files', async (verb) => {
    const bundle = await t.bundle({ args: ['/probe'] })
    const directory = t.hostDirectory()
    const logs = ['--log', join(directory, 'log'), '--log-file', join(directory, 'file')]
    const result = await t.runtime([...logs, verb, '--preserve-fds', '3', '--bundle', bundle.path, t.id()])
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(messageOf(result)).toContain('preserve 3 file descriptors: 3 is not open')
    t.expectNothingLeft()
  })

  it('one too many is refused, whatever took its number', async () => {
    const { id } = await t.running()
    const through = ['sh', '-c', 'exec 3</etc/passwd 4</etc/group; exec "$@"', 'sh']
    const result = await t.runtime(['exec', '--preserve-fds', '3', id, '/probe'], { through })
    expect(messageOf(result)).toBe('preserve 3 file descriptors: 5 is not open: open all from 3 on')
  })
})

describe('exec', () => {
  it('into a directory that is missing says so without a system call', async () => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', '--cwd', '/no/such', id, 'pwd'])
    expect(result.exitCode).toBe(255)
    const reason = 'no such file or directory: give a directory that the container has'
    expect(messageOf(result)).toBe(`open process.cwd /no/such: ${reason}`)
  })

  it('with a --cap that the kernel does not have warns of it', async () => {
    const { id } = await t.running()
    const result = await t.ok(['exec', '--cap', 'CAP_BOGUS', '--cap', 'CAP_SYS_PTRACE', id, '/probe'])
    const effective = Number.parseInt(parseProbe(result.stdout).capabilities.effective, 16)
    expect(effective & Number.parseInt(capabilityMask('CAP_SYS_PTRACE'), 16)).not.toBe(0)
    expect(result.stderr).toContain('cannot be granted and left out: CAP_BOGUS (no such capability)')
  })
})

describe('process.json', () => {
  async function probeProcess(id: string, fields: object): Promise<ProbeReport> {
    const path = join(t.hostDirectory(), 'process.json')
    const document = { user: { uid: 1000, gid: 1000 }, args: ['/probe'], env: [], cwd: '/', ...fields }
    writeFileSync(path, JSON.stringify(document))
    return parseProbe((await t.ok(['exec', '--process', path, id])).stdout)
  }

  it('has an oomScoreAdj of its own, lower than that of the container', async () => {
    const { id } = await t.running({ process: { oomScoreAdj: 500 } })
    expect((await probeProcess(id, { oomScoreAdj: 400 })).oomScoreAdj).toBe('400\n')
  })

  it('without scheduler, ioPriority and execCPUAffinity has those of the container', async () => {
    const process = {
      scheduler: { policy: 'SCHED_BATCH', nice: 3 },
      ioPriority: { class: 'IOPRIO_CLASS_IDLE' },
      execCPUAffinity: { final: '0' },
    }
    const { id } = await t.running({ process })
    const report = await probeProcess(id, {})
    expect(report).toMatchObject({ scheduler: { policy: 3, nice: 3 }, ioPriority: { class: 3 }, cpus: [0] })
  })

  it('without a umask has that of the container, and its own otherwise', async () => {
    const { id } = await t.running({ process: { user: { uid: 0, gid: 0, umask: 0o27 } } })
    expect((await probeProcess(id, {})).umask).toBe('0027')
    expect((await probeProcess(id, { user: { uid: 0, gid: 0, umask: 0o77 } })).umask).toBe('0077')
  })
})

describe('exec --tty over pipes', () => {
  it('passes more than the terminal takes at once to a process that prints as it reads', async () => {
    const { id } = await t.running()
    const directory = t.hostDirectory()
    const [input, output] = [join(directory, 'input'), join(directory, 'output')]
    writeFileSync(input, 'x'.repeat(300_000))
    writeFileSync(output, '')
    const feed = `until grep -q ready ${output}; do sleep 0.05; done; cat ${input}; until grep -q end ${output}; do sleep 0.05; done`
    const through = ['sh', '-c', `(${feed}) | "$@" >${output}`, 'sh']
    const script = 'stty raw -echo; echo ready; head -c 300000; echo end'
    expect(await t.runtime(['exec', '--tty', id, 'sh', '-c', script], { through })).toMatchObject({ exitCode: 0 })
    expect(t.read(output)).toBe(`ready\n${'x'.repeat(300_000)}end\n`)
  })

  it('goes on when nobody reads what it prints', async () => {
    const { id } = await t.running()
    const code = join(t.hostDirectory(), 'code')
    const through = ['sh', '-c', `("$@"; echo $? >${code}) | true`, 'sh']
    const script = 'sleep 0.3; i=0; while [ $i -lt 500 ]; do echo line; i=$((i+1)); done; exit 6'
    await t.runtime(['exec', '--tty', id, 'sh', '-c', script], { through })
    expect((await waitFor(() => t.read(code))).trim()).toBe('6')
  })
})

describe('labels that the host cannot apply', () => {
  it.each([
    ['--apparmor', 'this host has no AppArmor'],
    ['--process-label', 'this host has no SELinux'],
  ])('exec %s is refused, and nothing runs', async (flag, text) => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', flag, 'some', id, 'echo', 'ran'])
    expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    expect(messageOf(result)).toContain(text)
  })
})
