/** docker exec, and containers that share the namespaces of another. */
import { beforeAll, describe, expect, it } from 'vitest'
import { cgroupsOf, namespaceOf } from '../../support/proc.ts'
import { waitFor } from '../../support/wait-for.ts'
import { useDocker } from '../support/docker.ts'

const docker = useDocker()
const sh = (script: string): string[] => ['sh', '-c', script]
let name = ''
let pid = 0

beforeAll(async () => {
  if (!docker.isRunning) return
  name = await docker.detached(['--env', 'OF=container', '--ipc', 'shareable'], ['sleep', '1000'])
  pid = await docker.pid(name)
})

describe('docker exec', () => {
  it('hands on stdin, stdout, stderr and the exit code', async () => {
    const result = await docker.call(['exec', '-i', name, ...sh('cat; echo err >&2; exit 7')], { input: 'in' })
    expect(result).toEqual({ exitCode: 7, stdout: 'in', stderr: 'err' })
  })

  it.each([
    ['KILL', 137],
    ['SEGV', 139],
  ])('of a process that dies of SIG%s exits %i', async (signal, code) => {
    expect((await docker.exec(name, sh(`kill -${signal} $$`))).exitCode).toBe(code)
  })

  it('--user, --workdir and --env, in the namespaces and the cgroup of the container', async () => {
    const flags = ['--user', '1000', '--workdir', '/tmp', '--env', 'MY=own']
    const script = 'id -u; pwd; echo $OF $MY; readlink /proc/self/ns/net; cat /proc/self/cgroup'
    const [user, cwd, variables, net] = (await docker.exec(name, sh(script), flags)).stdout.split('\n')
    expect([user, cwd, variables, net]).toEqual(['1000', '/tmp', 'container own', namespaceOf(pid, 'net')])
    await docker.ok(['exec', '--detach', name, 'sleep', '4321'])
    const found = await waitFor(async () =>
      /^(\d+) +sleep 4321$/m.exec(await docker.ok(['top', name, '-o', 'pid,args'])),
    )
    expect(cgroupsOf(Number(found[1]))).toEqual(cgroupsOf(pid))
  })

  it('-it gives a terminal of the container, of the size of the caller', async () => {
    const session = docker.onTerminal(['exec', '-it', name, 'sh'], { rows: 22, columns: 66 })
    session.type('tty; until stty size | grep "22 66"; do sleep 0.05; done\r')
    await session.shows(/\n\/dev\/pts\/\d+\r\n/)
    await session.shows(/\n22 66\r\n/)
    session.type("sh -c 'echo $((40 + 2)); exec sleep 1000'\r")
    await session.shows(/\n42\r\n/)
    session.type('\x03')
    session.type('exit 6\r')
    expect(await session.exitCode).toBe(6)
  })

  it('--privileged has all capabilities', async () => {
    const effective = async (...flags: string[]): Promise<string> =>
      (await docker.exec(name, ['grep', 'CapEff', '/proc/self/status'], flags)).stdout
    expect(await effective()).toBe('CapEff:\t00000000a80425fb')
    expect(BigInt(`0x${(await effective('--privileged')).split('\t')[1]}`)).toBeGreaterThan(0xa80425fbn)
  })

  it('five at once', async () => {
    const codes = [10, 11, 12, 13, 14]
    const ended = await Promise.all(codes.map((code) => docker.exec(name, sh(`exit ${code}`))))
    expect(ended.map(({ exitCode }) => exitCode)).toEqual(codes)
  })
})

describe('a container that joins another', () => {
  it.each([
    ['pid', '--pid'],
    ['ipc', '--ipc'],
    ['net', '--network'],
  ])('its %s namespace with %s container:NAME', async (kind, flag) => {
    const joined = ['readlink', `/proc/self/ns/${kind}`]
    expect(await docker.output([flag, `container:${name}`], joined)).toBe(namespaceOf(pid, kind))
    expect(await docker.output(['--network', 'none'], joined)).not.toBe(namespaceOf(pid, kind))
  })

  it('sees its processes, and ends without it', async () => {
    const sees = sh('ps -o args | grep -c "^sleep 1000"; exit 3')
    expect(await docker.run(['--pid', `container:${name}`], sees)).toEqual({ exitCode: 3, stdout: '1', stderr: '' })
    expect((await docker.exec(name, ['true'])).exitCode).toBe(0)
  })
})
