import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { capabilityMask, parseProbe } from '../../support/probe.ts'
import { cgroupsOf, isAlive, namespaceOf } from '../../support/proc.ts'
import { program } from '../../support/programs.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'
import { shareWithHost } from '../../support/spec.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root')
const t = useContainers()

describe('exec exit codes and stdio', () => {
  it.each([0, 1, 7, 126, 127, 200])('returns %i as the command does', async (code) => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', id, 'sh', '-c', `exit ${code}`])
    expect(result).toMatchObject({ exitCode: code, stdout: '', stderr: '' })
  })

  it.each([
    ['KILL', 137],
    ['TERM', 143],
  ])('returns 128 + n when SIG%s ends the command', async (signal, code) => {
    const { id } = await t.running()
    expect(await t.runtime(['exec', id, 'sh', '-c', `kill -${signal} $$`])).toMatchObject({ exitCode: code })
  })

  it('connects stdout and stderr, apart', async () => {
    const { id } = await t.running()
    const { stdout, stderr } = await t.ok(['exec', id, 'sh', '-c', 'echo out; echo err >&2'])
    expect([stdout, stderr]).toEqual(['out\n', 'err\n'])
  })

  it('connects stdin to its end', async () => {
    const { id } = await t.running()
    expect((await t.ok(['exec', id, 'wc', '-c'], { input: 'y'.repeat(300_000) })).stdout.trim()).toBe('300000')
  })

  it('passes a megabyte through unchanged', async () => {
    const { id } = await t.running()
    const input = Array.from({ length: 20_000 }, (_, line) => `line ${line} of the input, padded to be long`).join('\n')
    expect((await t.ok(['exec', id, 'cat'], { input })).stdout).toBe(input)
  })

  it('leaves the flags after the id to the command', async () => {
    const { id } = await t.running()
    expect((await t.ok(['exec', id, 'echo', '--tty', '-e', 'x', '--user=1', '--', '-h'])).stdout).toBe(
      '--tty -e x --user=1 -- -h\n',
    )
  })

  it('takes arguments with spaces, newlines and nothing in them', async () => {
    const { id } = await t.running()
    const args = ['a b', 'line\nbreak', '', 'quote\'"', '\\', '$HOME', 'ünïcode']
    expect(parseProbe((await t.ok(['exec', id, '/probe', ...args])).stdout).argv).toEqual(['/probe', ...args])
  })

  it('runs twenty commands at once', async () => {
    const { id } = await t.running()
    const codes = Array.from({ length: 20 }, (_, code) => code)
    const results = await Promise.all(codes.map((code) => t.runtime(['exec', id, 'sh', '-c', `exit ${code}`])))
    expect(results.map(({ exitCode }) => exitCode)).toEqual(codes)
  })
})

describe('exec failures', () => {
  it.each([
    [['no-such-program'], /exec: "no-such-program": executable file not found in \$PATH/],
    [['/no/such/program'], /no such file or directory/],
    [['/etc'], /permission denied|is a directory/],
    [['/etc/passwd'], /permission denied/],
  ])('%j fails with 255 and says why', async (args, text) => {
    const { id, pid } = await t.running()
    const result = await t.runtime(['exec', id, ...args])
    expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    expect(messageOf(result)).toMatch(text)
    expect(await t.state(id)).toMatchObject({ status: 'running', pid })
  })

  it('fails with 255 for an id that does not exist', async () => {
    const result = await t.runtime(['exec', 't-missing', 'true'])
    expect(result.exitCode).toBe(255)
    expect(messageOf(result)).toMatch(/container does not exist/)
  })

  it('fails with 255 in a stopped container', async () => {
    const { id } = await t.stopped()
    const result = await t.runtime(['exec', id, 'true'])
    expect(result.exitCode).toBe(255)
    expect(messageOf(result)).toMatch(/cannot exec in a stopped container|container not running/)
  })

  it.each(['-1', '1x', '1:', '1:x', ':1', '1:-1', 'root'])('refuses --user %j', async (user) => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', `--user=${user}`, id, 'id'])
    expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    expect(messageOf(result)).not.toBe('')
  })

  it('fails without a command', async () => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', id])
    expect(result.exitCode).not.toBe(0)
    expect(result.stderr).not.toBe('')
  })

  it.each([
    ['not JSON', '{"args": ['],
    ['empty args', JSON.stringify({ user: { uid: 0, gid: 0 }, args: [], cwd: '/' })],
    ['relative cwd', JSON.stringify({ user: { uid: 0, gid: 0 }, args: ['true'], cwd: 'tmp' })],
  ])('refuses a --process file with %s', async (_, text) => {
    const { id } = await t.running()
    const path = join(t.hostDirectory(), 'process.json')
    writeFileSync(path, text)
    const result = await t.runtime(['exec', '--process', path, id])
    expect(result.exitCode).toBe(255)
    expect(messageOf(result)).not.toBe('')
  })

  it('refuses a --process file that is missing', async () => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', '--process', '/no/such/process.json', id])
    expect(result.exitCode).toBe(255)
    expect(messageOf(result)).toMatch(/\/no\/such\/process\.json/)
  })
})

describe('exec in the container', () => {
  it('joins all namespaces of init', async () => {
    const { id, pid } = await t.running()
    const report = await t.probeExec(id)
    for (const kind of ['ipc', 'mnt', 'net', 'pid', 'uts', 'user', 'cgroup']) {
      expect(report.namespaces[kind], kind).toBe(namespaceOf(pid, kind))
    }
  })

  it('joins the cgroups of init in every hierarchy', async () => {
    const { id, pid } = await t.running()
    const pidFile = join(t.hostDirectory(), 'pid')
    await t.ok(['exec', '--detach', '--pid-file', pidFile, id, 'sleep', '1000'])
    expect(cgroupsOf(Number(readFileSync(pidFile, 'utf8')))).toEqual(cgroupsOf(pid))
  })

  it('has the capabilities, limits and no_new_privs of the container', async () => {
    const { id } = await t.running({
      spec: (spec) => {
        spec.process.rlimits = [{ type: 'RLIMIT_FSIZE', soft: 500_000, hard: 600_000 }]
      },
    })
    const report = await t.probeExec(id)
    const mask = capabilityMask('AUDIT_WRITE', 'KILL', 'NET_BIND_SERVICE')
    expect(report.capabilities).toMatchObject({ effective: mask, permitted: mask, bounding: mask })
    expect(report.noNewPrivs).toBe(1)
    expect(report.rlimits.RLIMIT_FSIZE).toEqual(['500000', '600000'])
  })

  it('sees the mounts of the container and nothing of the host', async () => {
    const { id } = await t.running()
    expect((await t.ok(['exec', id, 'ls', '/'])).stdout.split('\n')).toContain('probe')
    expect((await t.runtime(['exec', id, 'ls', t.directory])).exitCode).toBe(1)
  })

  it('has the environment and cwd of the container by default', async () => {
    const { id } = await t.running({ process: { env: ['PATH=/bin', 'ONE=1'], cwd: '/tmp' } })
    const report = await t.probeExec(id)
    expect(report.env).toEqual(expect.arrayContaining(['PATH=/bin', 'ONE=1']))
    expect(report.cwd).toBe('/tmp')
  })

  it('passes no descriptor and no ignored signal of the caller on', async () => {
    const { id } = await t.running()
    const through = [program('launch'), '--fds', '--ignore-signals', '--block-signals', '--']
    const report = await t.probeExec(id, [], { through })
    expect(Object.keys(report.fds)).toEqual(['0', '1', '2'])
    expect(report.signalsIgnored).toEqual([])
  })

  it('does not outlive init', async () => {
    const { id } = await t.running()
    const pidFile = join(t.hostDirectory(), 'pid')
    await t.ok(['exec', '--detach', '--pid-file', pidFile, id, 'sleep', '1000'])
    const pid = Number(readFileSync(pidFile, 'utf8'))
    await t.ok(['kill', id, 'KILL'])
    await waitFor(() => !isAlive(pid))
  })

  it('works without a pid namespace of its own', async () => {
    const { id } = await t.running({ spec: (spec) => shareWithHost(spec, 'pid') })
    expect(await t.runtime(['exec', id, 'sh', '-c', 'exit 4'])).toMatchObject({ exitCode: 4 })
  })

  it('works in a rootfs that holds one static program', async () => {
    const { id } = await t.running({ rootfs: 'empty-static', args: ['/probe', '--then-wait'] })
    expect((await t.probeExec(id)).argv).toEqual(['/probe'])
  })
})
