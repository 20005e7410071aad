/** Namespaces that containers share: podman finds them through the pid that the runtime reports. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { namespaceOf } from '../../support/proc.ts'
import { usePodman } from '../support/podman.ts'

const podman = usePodman()

const pidOf = async (name: string): Promise<number> => (await podman.state(name)).Pid

/** Which of the namespaces two processes share. */
function shared(one: number, other: number): string[] {
  return ['pid', 'net', 'ipc', 'uts', 'mnt'].filter((kind) => namespaceOf(one, kind) === namespaceOf(other, kind))
}

describe('podman pod', () => {
  const pod = podman.name()
  let infra = 0

  beforeAll(async () => {
    await podman.ok([
      ...['pod', 'create', '--name', pod, '--share', 'net,ipc,uts', '--network', 'none', '--hostname', 'of-the-pod'],
      ...['--cgroup-parent', podman.cgroupParent, '--infra-image', podman.image, '--infra-command', 'sleep 1000'],
    ])
    await podman.ok(['pod', 'start', pod])
    infra = await pidOf(await podman.ok(['pod', 'inspect', '--format', '{{.InfraContainerID}}', pod]))
  })

  it("members share the infra container's namespaces, and no others", async () => {
    const [one, other] = [
      await podman.detached(['--pod', pod], ['sleep', '1000']),
      await podman.detached(['--pod', pod], ['sleep', '1000']),
    ]
    expect(namespaceOf(infra, 'net')).not.toBe(namespaceOf('self', 'net'))
    expect(shared(await pidOf(one), infra)).toEqual(['net', 'ipc', 'uts'])
    expect(shared(await pidOf(other), infra)).toEqual(['net', 'ipc', 'uts'])
    expect(shared(await pidOf(one), await pidOf(other))).toEqual(['net', 'ipc', 'uts'])
    expect(await podman.ok(['exec', other, 'hostname'])).toBe('of-the-pod')
    await podman.ok(['rm', '--force', '--time', '0', one, other])
  })

  it('members reach each other over the loopback interface', async () => {
    const server = await podman.detached(['--pod', pod], ['sh', '-c', 'echo hello | busybox nc -l -p 4000'])
    const client = ['sh', '-c', 'until busybox nc 127.0.0.1 4000 </dev/null; do sleep 0.05; done']
    expect(await podman.output(['--pod', pod], client)).toBe('hello')
    await podman.ok(['rm', '--force', '--time', '0', server])
  })

  it('members share /dev/shm', async () => {
    const member = await podman.detached(
      ['--pod', pod],
      ['sh', '-c', 'echo shared > /dev/shm/note; echo ready; sleep 1000'],
    )
    await podman.waitForLog(member, 'ready')
    expect(await podman.output(['--pod', pod], ['cat', '/dev/shm/note'])).toBe('shared')
    await podman.ok(['rm', '--force', '--time', '0', member])
  })

  it('pod rm --force leaves no trace of pod and members', async () => {
    await podman.detached(['--pod', pod], ['sleep', '1000'])
    const ids = (await podman.ok(['ps', '--all', '--no-trunc', '--filter', `pod=${pod}`, '--format', '{{.ID}}'])).split(
      '\n',
    )
    expect(ids).toHaveLength(2)
    await podman.ok(['pod', 'rm', '--force', '--time', '0', pod])
    await podman.expectNothingLeft(...ids)
  })
})

describe('a pod that shares the pid namespace too', () => {
  it("a member sees the infra container's process as process 1", async () => {
    const pod = podman.name()
    await podman.ok([
      ...[
        'pod',
        'create',
        '--name',
        pod,
        '--share',
        'net,pid',
        '--network',
        'none',
        '--cgroup-parent',
        podman.cgroupParent,
      ],
      ...['--infra-image', podman.image, '--infra-command', 'sleep 4321'],
    ])
    expect(await podman.output(['--pod', pod], ['ps', '-o', 'pid,args'])).toMatch(/^ +1 sleep 4321$/m)
    await podman.ok(['pod', 'rm', '--force', '--time', '0', pod])
  })
})

describe('container:NAME', () => {
  let base = ''

  beforeAll(async () => {
    base = await podman.detached([], ['sleep', '1234'])
  })
  afterAll(async () => {
    if (base !== '') await podman.call(['rm', '--force', '--time', '0', base])
  })

  it.each([
    ['--pid', 'pid'],
    ['--network', 'net'],
    ['--ipc', 'ipc'],
    ['--uts', 'uts'],
  ])('%s joins it', async (flag, kind) => {
    const name = await podman.detached([`${flag}=container:${base}`], ['sleep', '1000'])
    expect(shared(await pidOf(name), await pidOf(base))).toEqual([kind])
    await podman.ok(['rm', '--force', '--time', '0', name])
  })

  it('--pid sees the processes of the other, which outlive it', async () => {
    const output = await podman.output(['--pid', `container:${base}`], ['ps', '-o', 'pid,args'])
    expect(output).toMatch(/^ +1 sleep 1234$/m)
    expect((await podman.state(base)).Running).toBe(true)
  })

  it('a process of --pid container can be stopped on its own', async () => {
    const name = await podman.detached(['--pid', `container:${base}`], ['sleep', '1000'])
    await podman.ok(['stop', '--time', '0', name])
    expect((await podman.state(name)).ExitCode).toBe(137)
    expect((await podman.state(base)).Running).toBe(true)
    await podman.ok(['rm', name])
  })
})
