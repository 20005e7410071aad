/** podman's calls of the runtime without conmon (libpod/oci_conmon_common.go): its environment and its reading. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { parseProbe } from '../../support/probe.ts'
import { isAlive } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { shareWithHost } from '../../support/spec.ts'
import { waitFor } from '../../support/wait-for.ts'
import { type Call, call, decodeContainer, lastRuntimeError, podmanExitCode } from '../support/contract.ts'

requires('root')
const t = useContainers()

/** Neither PATH nor HOME. */
const env = { XDG_RUNTIME_DIR: '/run/user/0' }
const podman = (...args: string[]): Promise<Call> => call(['--root', t.root, ...args], { env })
const done = { exitCode: 0, stdout: '', stderr: '' }

describe('podman', () => {
  it('start ID, state ID: one of the four words that podman knows', async () => {
    const { id, pid } = await t.create({ args: ['sleep', '1000'] })
    const words = ['created', 'running', 'paused', 'stopped']
    const status = async (): Promise<string> => decodeContainer(JSON.parse((await podman('state', id)).stdout)).status
    const seen = [await status()]
    expect(await podman('start', id)).toMatchObject(done)
    seen.push(await status())
    expect(await podman('pause', id)).toMatchObject(done)
    seen.push(await status())
    expect(await podman('resume', id)).toMatchObject(done)
    expect(await podman('kill', id, '9')).toMatchObject(done)
    await waitFor(() => !isAlive(pid))
    await waitFor(async () => (await status()) === 'stopped')
    expect([...seen, await status()]).toEqual(words)
  })

  it('--preserve-fd 3,7 comes as --preserve-fds 5 with none of the others open', async () => {
    const through = ['sh', '-c', 'exec 3</etc/passwd 7</etc/group; exec "$@"', 'sh']
    const own = { 3: '/etc/passwd', 7: '/etc/group' }
    const { id } = await t.running()
    const executed = await call(['--root', t.root, 'exec', '--preserve-fds', '5', id, '/probe'], { env, through })
    expect(parseProbe(executed.stdout).fds).toMatchObject(own)
    const { path } = await t.bundle({ args: ['/probe'] })
    const ran = await call(['--root', t.root, 'run', '--preserve-fds', '5', '--bundle', path, t.id()], { env, through })
    expect(parseProbe(ran.stdout).fds).toMatchObject(own)
  })

  it('state of a container that is gone says so', async () => {
    const result = await podman('state', 't-gone')
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(result.stderr).toMatch(/does not exist|No such file/)
  })

  it.each(['1', '2', '10', '15', '28'])('kill ID %s is quiet', async (signal) => {
    const { id } = await t.running({ args: ['sh', '-c', 'trap "" HUP INT USR1 TERM WINCH; while :; do sleep 1; done'] })
    expect(await podman('kill', id, signal)).toMatchObject(done)
  })

  it('kill --all ID 9', async () => {
    const { id, pid } = await t.running({
      args: ['sh', '-c', 'sleep 1000 & wait'],
      spec: (spec) => shareWithHost(spec, 'pid'),
    })
    expect(await podman('kill', '--all', id, '9')).toMatchObject(done)
    await waitFor(() => !isAlive(pid))
  })

  it('delete --force ID, twice', async () => {
    const { id, pid } = await t.running()
    expect(await podman('delete', '--force', id)).toMatchObject(done)
    await waitFor(() => !isAlive(pid))
    expect(await podman('delete', '--force', id)).toMatchObject(done)
  })

  it('update --resources=FILE ID', async () => {
    const { id, bundle } = await t.running()
    const file = join(bundle.path, 'resources')
    writeFileSync(file, JSON.stringify({ pids: { limit: 77 } }))
    expect(await podman('update', `--resources=${file}`, id)).toMatchObject(done)
    const { stdout } = await podman('events', '--stats', id)
    expect(JSON.parse(stdout)).toMatchObject({ data: { pids: { limit: 77 } } })
  })

  it('exec with a pipe that nobody reads ends as the process does', async () => {
    const { id } = await t.running()
    const through = ['sh', '-c', '"$@" | true', 'sh']
    expect((await t.runtime(['exec', id, 'sh', '-c', 'sleep 0.2; echo lost; exit 0'], { through, env })).exitCode).toBe(
      0,
    )
  })
})

describe("podman's exit code for a failure of the runtime", () => {
  it.each([
    [['no-such-program'], 127],
    [['/no/such/program'], 127],
    [['/etc/passwd'], 126],
    [['/etc'], 126],
  ])('create of %j: %i, from stderr and from the log', async (args, code) => {
    const { path } = await t.bundle({ args })
    const log = join(path, 'oci-log')
    const globals = ['--log-format=json', `--log=${log}`]
    const result = await podman(...globals, 'create', '--bundle', path, '--pid-file', join(path, 'pidfile'), t.id())
    expect(result.exitCode).toBe(1)
    expect([podmanExitCode(result.stderr), podmanExitCode(lastRuntimeError(log))]).toEqual([code, code])
  })

  it.each([
    [['no-such-program'], 127],
    [['/no/such/program'], 127],
    [['/etc/passwd'], 126],
  ])('exec of %j: %i', async (args, code) => {
    const { id } = await t.running()
    const result = await podman('exec', id, ...args)
    expect(result.exitCode).toBe(255)
    expect(podmanExitCode(result.stderr)).toBe(code)
  })
})
