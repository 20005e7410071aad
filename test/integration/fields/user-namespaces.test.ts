import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { HookRecorder } from '../../support/hook-recorder.ts'
import { capabilityMask, parseProbe } from '../../support/probe.ts'
import { namespaceOf } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { capabilitySets, setNamespace } from '../../support/spec.ts'
import { COUNT, FIRST, giveImage, mapIds, mappedBundles } from '../../support/user-namespace.ts'

requires('root')
const t = useContainers()

const { mapped, shell } = mappedBundles(t)

describe('a new user namespace', () => {
  it('has the ids of the mappings', async () => {
    const { stdout } = await t.run(await shell('cat /proc/self/uid_map /proc/self/gid_map; id -u; stat -c %u:%g /etc'))
    const map = ['0', String(FIRST), String(COUNT)]
    expect(stdout.split('\n').map((line) => line.trim().split(/\s+/))).toEqual([map, map, ['0'], ['0:0'], ['']])
  })

  it('is a user of the host without rights there', async () => {
    const process = { user: { uid: 7, gid: 8, additionalGids: [9] } }
    const { pid } = await t.running(await mapped({ args: ['sleep', '1000'], process }))
    expect(namespaceOf(pid, 'user')).not.toBe(namespaceOf('self', 'user'))
    const status = t.read(`/proc/${pid}/status`)
    expect(status).toMatch(new RegExp(`^Uid:(\t${FIRST + 7}){4}$`, 'm'))
    expect(status).toMatch(new RegExp(`^Gid:(\t${FIRST + 8}){4}$`, 'm'))
    expect(status).toMatch(new RegExp(`^Groups:\t${FIRST + 9} *$`, 'm'))
  })

  it('takes several ranges, for users others than for groups', async () => {
    const uids = [
      { containerID: 0, hostID: 200_000, size: 10 },
      { containerID: 1000, hostID: 300_000, size: 1 },
    ]
    const gids = [{ containerID: 0, hostID: 400_000, size: 100 }]
    const bundle = await t.bundle({
      args: ['sleep', '1000'],
      process: { user: { uid: 1000, gid: 99 } },
      spec: (spec) => mapIds(spec, uids, gids),
    })
    giveImage(bundle, 200_000)
    const { pid } = await t.running(bundle)
    expect(t.read(`/proc/${pid}/status`)).toMatch(/^Uid:(\t300000){4}$/m)
    expect(t.read(`/proc/${pid}/status`)).toMatch(/^Gid:(\t400099){4}$/m)
  })

  it('owns every other new namespace', async () => {
    const { stdout } = await t.run(
      await shell(
        'hostname other; hostname; stat -c %u /proc/sys/net/ipv4/ip_forward /dev/mqueue /dev/shm /dev/pts /proc/self/fd',
        { process: { capabilities: capabilitySets('CAP_SYS_ADMIN') } },
      ),
    )
    expect(stdout).toBe('other\n0\n0\n0\n0\n0\n')
  })

  it('has exactly the capabilities of config.json', async () => {
    const report = await t.probe(
      await mapped({ args: ['/probe'], process: { capabilities: capabilitySets('CAP_SYS_RESOURCE', 'CAP_KILL') } }),
    )
    const mask = capabilityMask('SYS_RESOURCE', 'KILL')
    expect(report.capabilities).toMatchObject({ effective: mask, permitted: mask, bounding: mask })
  })

  it('lives as every container does', async () => {
    const { id, pid } = await t.create(await mapped({ args: ['sleep', '1000'] }))
    expect((await t.state(id)).status).toBe('created')
    await t.ok(['start', id])
    expect(await t.state(id)).toMatchObject({ status: 'running', pid })
    await t.ok(['kill', id, 'KILL'])
    await t.waitForStatus(id, 'stopped')
    await t.ok(['delete', id])
    t.expectNothingLeft()
  })
})

describe('sysctl in a user namespace', () => {
  it('sets net.* and kernel.* of its namespaces', async () => {
    const { stdout, stderr } = await t.run(
      await shell('cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/shmmax', {
        spec: ({ linux }) => {
          linux.sysctl = { 'net.ipv4.ip_unprivileged_port_start': '321', 'kernel.shmmax': '54321' }
        },
      }),
    )
    expect(stdout, stderr).toBe('321\n54321\n')
  })
})

describe('the process in a user namespace', () => {
  it('has its limits, its score and its filter', async () => {
    const seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['sethostname'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 }],
    }
    for (const noNewPrivileges of [true, false]) {
      const report = await t.probe(
        await mapped({
          args: ['/probe'],
          process: {
            noNewPrivileges,
            user: { uid: 1000, gid: 1000 },
            oomScoreAdj: 500,
            rlimits: [
              { type: 'RLIMIT_NOFILE', soft: 100, hard: 200 },
              { type: 'RLIMIT_CORE', soft: 0, hard: 4096 },
            ],
          },
          spec: (spec) => {
            spec.linux.seccomp = seccomp
          },
        }),
      )
      expect(report).toMatchObject({ seccomp: 2, noNewPrivs: Number(noNewPrivileges) })
      expect(Number(report.oomScoreAdj)).toBe(500)
      expect(report.rlimits.NOFILE ?? report.rlimits.RLIMIT_NOFILE).toEqual(['100', '200'])
      expect(report.rlimits.CORE ?? report.rlimits.RLIMIT_CORE).toEqual(['0', '4096'])
    }
  })
})

describe('exec into a user namespace', () => {
  it('is root of it by default, with the ids of the container', async () => {
    const { id, pid } = await t.running(await mapped({ args: ['sleep', '1000'] }))
    const report = parseProbe((await t.ok(['exec', id, '/probe'])).stdout)
    expect(report.uid).toEqual([0, 0, 0])
    expect(report.groups).toEqual([])
    expect(report.namespaces['user']).toBe(namespaceOf(pid, 'user'))
  })

  it('takes another user', async () => {
    const { id } = await t.running(await mapped({ args: ['sleep', '1000'] }))
    const { stdout } = await t.ok(['exec', '--user', '7:8', '--additional-gids', '9', id, 'id'])
    expect(stdout).toMatch(/uid=7\S* gid=8\S* groups=.*9/)
  })

  it('refuses a user that is not mapped', async () => {
    const { id } = await t.running(await mapped({ args: ['sleep', '1000'] }))
    expect((await t.runtime(['exec', '--user', '70000', id, 'id'])).exitCode).not.toBe(0)
  })
})

describe('hooks of a container in a user namespace', () => {
  it('run all, those of the runtime as root of the host and the others in the namespace', async () => {
    const directory = t.hostDirectory()
    const recorder = new HookRecorder(directory)
    const bundle = await mapped({
      spec: (spec) => {
        recorder.bind(spec)
        const record = (name: string) =>
          recorder.shell(
            `cat > /dev/null; readlink /proc/self/ns/user > ${directory}/$1.user; chmod 666 ${directory}/$1.user`,
            name,
          )
        spec.hooks = Object.fromEntries(
          ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'].map((name) => [
            name,
            [record(name)],
          ]),
        )
      },
    })
    for (const file of directory.split('/').slice(1).keys())
      mkdirSync(join(bundle.rootfs, ...directory.split('/').slice(1, file + 2)), { recursive: true })
    giveImage(bundle)
    const { id } = await t.create(bundle)
    await t.ok(['start', id])
    await t.waitForStatus(id, 'stopped')
    await t.ok(['delete', id])
    const host = namespaceOf('self', 'user')
    const seen = (name: string) => t.read(`${directory}/${name}.user`).trim()
    for (const name of ['prestart', 'createRuntime', 'poststart', 'poststop']) expect(seen(name), name).toBe(host)
    for (const name of ['createContainer', 'startContainer']) expect(seen(name), name).not.toBe(host)
    expect(statSync(`${directory}/createContainer.user`).uid).toBe(FIRST)
  })
})

describe('mappings that cannot be', () => {
  const range = { containerID: 0, hostID: FIRST, size: COUNT }
  it.each([
    ['none for a new one', (spec: Parameters<typeof mapIds>[0]) => mapIds(spec, [])],
    [
      'overlapping',
      (spec: Parameters<typeof mapIds>[0]) => mapIds(spec, [range, { ...range, containerID: 65_535, size: 1 }]),
    ],
    [
      'of no ids',
      (spec: Parameters<typeof mapIds>[0]) => mapIds(spec, [range, { containerID: 70_000, hostID: 1, size: 0 }]),
    ],
    ['without root', (spec: Parameters<typeof mapIds>[0]) => mapIds(spec, [{ ...range, containerID: 1 }])],
    [
      'without the user',
      (spec: Parameters<typeof mapIds>[0]) => {
        mapIds(spec)
        spec.process.user.uid = COUNT
      },
    ],
    [
      'other than the joined namespace has',
      (spec: Parameters<typeof mapIds>[0]) => {
        mapIds(spec)
        setNamespace(spec, 'user', '/proc/1/ns/net')
      },
    ],
  ])('are refused: %s', async (_, change) => {
    const bundle = await t.bundle({ spec: change })
    giveImage(bundle)
    expect((await t.run(bundle)).exitCode).toBe(1)
    t.expectNothingLeft()
  })
})
