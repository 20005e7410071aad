/** podman's user namespaces, as root: mappings of its own choice, of the command line, and of another container. */
import { describe, expect, it } from 'vitest'
import { namespaceOf } from '../../support/proc.ts'
import { usePodman } from '../support/podman.ts'

const podman = usePodman()

const whole = ['--uidmap', '0:200000:65536', '--gidmap', '0:300000:65536']
const pidOf = async (name: string): Promise<number> => (await podman.state(name)).Pid
const fields = (text: string): string[] => text.trim().split(/\s+/)

describe('--uidmap and --gidmap', () => {
  it('are the ids of the container', async () => {
    const output = await podman.output(whole, ['cat', '/proc/self/uid_map', '/proc/self/gid_map'])
    expect(fields(output)).toEqual(['0', '200000', '65536', '0', '300000', '65536'])
  })

  it('are the owners of its image, its volumes and what it makes', async () => {
    const directory = podman.hostDirectory()
    const script = 'stat -c %u:%g /etc /bin/busybox; touch /new /volume/new; stat -c %u:%g /new /volume/new'
    const output = await podman.output([...whole, '--volume', `${directory}:/volume:U`], ['sh', '-c', script])
    expect(fields(output)).toEqual(['0:0', '0:0', '0:0', '0:0'])
  })

  it('go with another user, with exec and with a terminal', async () => {
    const name = await podman.detached([...whole, '--user', '1000:1000'], ['sleep', '1000'])
    expect(await podman.ok(['exec', name, 'id', '-u'])).toBe('1000')
    expect(await podman.ok(['exec', '--user', '0', name, 'sh', '-c', 'id -u; stat -c %u /dev/pts'])).toBe('0\n0')
    const session = podman.onTerminal(['exec', '-it', name, 'sh', '-c', 'stat -c %u "$(tty)"'])
    expect(await session.exitCode).toBe(0)
    expect(session.screen()).toBe('1000\r\n')
    await podman.ok(['rm', '--force', '--time', '0', name])
  })

  it('go with the processes of the host', async () => {
    const script = 'cat /proc/self/uid_map; ls -d /proc/$$'
    const output = await podman.output([...whole, '--pid', 'host'], ['sh', '-c', script])
    expect(fields(output).slice(0, 3)).toEqual(['0', '200000', '65536'])
    expect(output).toMatch(/\/proc\/\d+$/)
  })

  it('go with devices and with read-only volumes', async () => {
    const directory = podman.hostDirectory()
    const output = await podman.output(
      [...whole, '--device', '/dev/fuse', '--volume', `${directory}:/volume:ro`],
      ['sh', '-c', 'stat -c "%F" /dev/fuse; touch /volume/x 2>&1; echo > /dev/null && echo written'],
    )
    expect(output).toMatch(/^character special file\n.*Read-only file system\nwritten$/)
  })
})

describe('--userns', () => {
  it('container:NAME joins the namespace of the other', async () => {
    const base = await podman.detached(whole, ['sleep', '1000'])
    const name = await podman.detached(['--userns', `container:${base}`], ['sleep', '1000'])
    expect(namespaceOf(await pidOf(name), 'user')).toBe(namespaceOf(await pidOf(base), 'user'))
    expect(fields(await podman.ok(['exec', name, 'cat', '/proc/self/uid_map']))).toEqual(['0', '200000', '65536'])
    for (const each of [name, base]) await podman.ok(['rm', '--force', '--time', '0', each])
  })

  it('host is none', async () => {
    const name = await podman.detached(['--userns', 'host'], ['sleep', '1000'])
    expect(namespaceOf(await pidOf(name), 'user')).toBe(namespaceOf('self', 'user'))
    await podman.ok(['rm', '--force', '--time', '0', name])
  })
})

describe('a container that joins others of one in a user namespace', () => {
  it('--network container:NAME, and --pid and --ipc', async () => {
    const base = await podman.detached(whole, ['sleep', '4321'])
    const flags = ['network', 'pid', 'ipc', 'userns'].map((kind) => `--${kind}=container:${base}`)
    const output = await podman.output(flags, ['ps', '-o', 'pid,args'])
    expect(output).toMatch(/^ +1 sleep 4321$/m)
    await podman.ok(['rm', '--force', '--time', '0', base])
  })
})

describe('a pod in a user namespace', () => {
  it('has one for all of its members', async () => {
    const pod = podman.name()
    await podman.ok([
      ...['pod', 'create', '--name', pod, '--network', 'none', ...whole, '--cgroup-parent', podman.cgroupParent],
      ...['--infra-image', podman.image, '--infra-command', 'sleep 1000'],
    ])
    const [one, other] = [
      await podman.detached(['--pod', pod], ['sleep', '1000']),
      await podman.detached(['--pod', pod], ['sleep', '1000']),
    ]
    for (const kind of ['user', 'net', 'ipc', 'uts'])
      expect(namespaceOf(await pidOf(one), kind), kind).toBe(namespaceOf(await pidOf(other), kind))
    expect(namespaceOf(await pidOf(one), 'user')).not.toBe(namespaceOf('self', 'user'))
    await podman.ok(['pod', 'rm', '--force', '--time', '0', pod])
  })
})
