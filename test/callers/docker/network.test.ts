/** A dockerd in a network namespace of its own: its bridge reaches a container by a prestart hook of libnetwork. */
import { describe, expect, it } from 'vitest'
import { useDocker } from '../support/docker.ts'

const docker = useDocker({
  through: ['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$0" "$@"'],
  bridge: true,
})

describe('--network bridge', () => {
  it('gives the container an interface with an address and a route', async () => {
    const text = await docker.output([], ['sh', '-c', 'ip -o -4 address show dev eth0; ip route'])
    expect(text).toMatch(/ eth0 +inet 172\.\d+\.0\.\d+\/16 /)
    expect(text).toMatch(/default via 172\.\d+\.0\.1 dev eth0/)
  })

  it('lets containers of a network reach each other by name', async () => {
    await docker.ok(['network', 'create', 'ours'])
    const server = await docker.detached(['--network', 'ours'], ['sh', '-c', 'echo answer | nc -l -p 7777'])
    const ask = 'for i in 1 2 3 4 5 6 7 8 9; do nc -w 5 $0 7777 && exit; sleep 0.2; done'
    expect(await docker.output(['--network', 'ours'], ['sh', '-c', ask, server])).toBe('answer')
    await docker.remove(server)
    await docker.ok(['network', 'rm', 'ours'])
  })

  it('is changed while the container runs', async () => {
    await docker.ok(['network', 'create', 'late'])
    const name = await docker.detached([], ['sleep', '1000'])
    await docker.ok(['network', 'connect', 'late', name])
    expect((await docker.exec(name, ['ip', 'link', 'show', 'eth1'])).exitCode).toBe(0)
    await docker.ok(['network', 'disconnect', 'late', name])
    expect((await docker.exec(name, ['ip', 'link', 'show', 'eth1'])).exitCode).not.toBe(0)
    await docker.remove(name)
    await docker.ok(['network', 'rm', 'late'])
  })
})
