import { existsSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { cgroupMounts, findCgroups, listTree } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import type { Hooks, Spec } from '../../support/spec.ts'

requires('root', 'own-runtime')
const t = useContainers()

interface Plan {
  lxcConfig: string
  cgroup: {
    directories: string[]
    writes: { file: string; value: string }[]
    devices?: { policy: string[]; program?: string[] }
  }
  container: { step: number; what: string; call: string }[]
}

async function plan(...args: Parameters<typeof t.bundle>): Promise<Plan> {
  const bundle = await t.bundle(...args)
  return JSON.parse((await t.ok(['debug', 'plan', '--json', bundle.path])).stdout) as Plan
}

describe('debug plan', () => {
  it('prints the liblxc config, every step in words and as the call, and the cgroup writes', async () => {
    const bundle = await t.bundle({ process: { cwd: '/tmp' } })
    const { stdout } = await t.ok(['debug', 'plan', '--steps', bundle.path])
    expect(stdout).toContain('lxc.namespace.clone = ')
    expect(stdout).toMatch(/devices\.deny <- a|bpf/)
    expect(stdout).toMatch(/^# devices\ndeny everything\nallow c \*:\* m$/m)
    expect(stdout).toMatch(/^ +\d+ {2}.*: pivot_root\(".", "."\)/m)
    expect(stdout).toMatch(/^ +\d+ {2}.*: execve\(/m)
    expect(stdout).toContain('/tmp')
    expect(stdout).toMatch(/: openat2\(\d+, "proc", \{flags=O_\w+[|\w]*, resolve=RESOLVE_\w+[|\w]*\}/)
    expect(stdout).toMatch(/: mkdirat\(.*, 0755\)/)
    expect(stdout).toMatch(/: mount\("proc", "\.", "proc", (0|MS_\w+[|\w]*), 0\)/)
  })

  it('is a summary without --steps', async () => {
    const bundle = await t.bundle({
      process: { cwd: '/tmp', user: { uid: 5, gid: 6, additionalGids: [7] } },
      spec: (spec) => {
        spec.mounts.push({ destination: '/a b', type: 'bind', source: '/tmp', options: ['rbind', 'ro', 'rslave'] })
        spec.linux.seccomp = {
          defaultAction: 'SCMP_ACT_ALLOW',
          syscalls: [{ names: ['acct'], action: 'SCMP_ACT_ERRNO', errnoRet: 7 }],
        }
      },
    })
    const { stdout } = await t.ok(['debug', 'plan', bundle.path])
    expect(stdout).toMatch(/^new +pid .*mount/m)
    expect(stdout).toMatch(/^destination +type +source +options +propagation$/m)
    expect(stdout).toMatch(/^"\/a b" +bind +\/tmp +rbind,ro +rslave$/m)
    expect(stdout).toMatch(/^uid 5, gid 6, groups 7, umask 0022, /m)
    expect(stdout).toMatch(/^SCMP_ACT_ALLOW but for 1 rules of 1 system calls, \d+ instructions$/m)
    expect(stdout).toMatch(/^launch \d+, wait \d+, container \d+: --steps prints them$/m)
    expect(stdout).not.toMatch(/execve\(|lxc\./)
  })

  it('prints the same as JSON', async () => {
    const { lxcConfig, cgroup, container } = await plan({
      spec: (spec) => {
        spec.linux.cgroupsPath = '/t-plan'
      },
    })
    expect(lxcConfig).toContain('lxc.rootfs.path')
    expect(cgroup.directories.every((directory) => directory.endsWith('/t-plan'))).toBe(true)
    expect(container.map(({ call }) => call.split('(')[0])).toEqual(
      expect.arrayContaining(['pivot_root', 'capset', 'execve', 'sethostname']),
    )
    expect(container.map(({ step }) => step)).toEqual(container.map((_, index) => index))
  })

  it('shows where an overlay goes, and does not mount it: that would write to its directories', async () => {
    const [lower, upper, work] = [t.hostDirectory('lower-'), t.hostDirectory('upper-'), t.hostDirectory('work-')]
    const { container } = await plan({
      spec: (spec) => {
        const options = [`lowerdir=${lower}`, `upperdir=${upper}`, `workdir=${work}`]
        spec.mounts.push({ destination: '/mnt', type: 'overlay', source: 'overlay', options })
      },
    })
    expect(container.map(({ what }) => what).filter((what) => what.includes('attach overlay to /mnt'))).toHaveLength(1)
    expect(readdirSync(work)).toEqual([])
  })

  it('prints the unit of systemd', async () => {
    const bundle = await t.bundle({
      spec: (spec) => {
        spec.linux.cgroupsPath = 'a-b.slice:test:x'
        spec.linux.resources = { pids: { limit: 20 } }
        spec.annotations = { 'org.systemd.property.TimeoutStopSec': '5' }
      },
    })
    const { stdout } = await t.ok(['--systemd-cgroup', 'debug', 'plan', '--steps', bundle.path])
    expect(stdout).toMatch(/^\/sys\/fs\/cgroup\/(.*\/)?a\.slice\/a-b\.slice\/test-x\.scope$/m)
    expect(stdout).toContain('# unit of systemd\ntest-x.scope\n')
    expect(stdout).toMatch(/^Slice = s "a-b\.slice"$/m)
    expect(stdout).toMatch(/^TasksMax = t 20$/m)
    expect(stdout).toMatch(/^TimeoutStopUSec = t 5000000$/m)
  })

  it('says how the device rules are enforced, unless that is switched off', async () => {
    const spec = (spec: Spec) => {
      spec.linux.resources = {
        devices: [
          { allow: false, access: 'rwm' },
          { allow: true, type: 'b', major: 8, access: 'r' },
        ],
      }
    }
    const { devices, writes } = (await plan({ spec })).cgroup
    expect(devices?.policy.slice(0, 2)).toEqual(['deny everything', 'allow b 8:* r'])
    const isV1 = Object.keys(cgroupMounts()).includes('devices')
    expect(devices?.program?.at(0)).toBe(isV1 ? undefined : 'r2 = *(u32 *)(r1 + 0)')
    expect(writes.filter(({ file }) => file.endsWith('/devices.deny'))).toHaveLength(isV1 ? 1 : 0)

    const bundle = await t.bundle({ spec })
    const { stdout } = await t.ok(['--cgroup-devices=false', 'debug', 'plan', '--json', bundle.path])
    expect((JSON.parse(stdout) as Plan).cgroup).toMatchObject({ writes: [] })
    expect((JSON.parse(stdout) as Plan).cgroup.devices).toBeUndefined()
  })

  it('waits for create, which runs its hooks, between the mounts and pivot_root, when there are any', async () => {
    const words = async (hooks: Hooks) => {
      const { container } = await plan({
        spec: (spec) => {
          spec.hooks = hooks
        },
      })
      return container.map(({ what }) => what)
    }
    const hooked = await words({ createRuntime: [{ path: '/bin/true' }] })
    const wait = hooked.indexOf('wait for create')
    expect(wait).toBeGreaterThan(hooked.findIndex((what) => what.startsWith('mount proc')))
    expect(wait).toBeLessThan(hooked.indexOf('make root.path read-only'))
    expect(wait).toBeLessThan(hooked.indexOf('make the rootfs the root'))
    expect(await words({ poststop: [{ path: '/bin/true' }] })).not.toContain('wait for create')
  })

  it('lists the hooks in their order, with who runs them', async () => {
    const bundle = await t.bundle({
      spec: (spec) => {
        spec.hooks = {
          poststop: [{ path: '/bin/true', timeout: 3 }],
          createRuntime: [{ path: '/bin/true', args: ['true', 'x'] }, { path: '/bin/false' }],
        }
      },
    })
    const { stdout } = await t.ok(['debug', 'plan', bundle.path])
    expect(stdout).toContain(
      [
        '# hooks',
        'hooks.createRuntime[0], by create in the namespaces of the runtime: /bin/true ["true","x"]',
        'hooks.createRuntime[1], by create in the namespaces of the runtime: /bin/false',
        'hooks.poststop[0], by delete in the namespaces of the runtime: /bin/true, at most 3 s',
        '',
      ].join('\n'),
    )
  })

  it('mounts the notify socket when NOTIFY_SOCKET is set, makes nothing, and refuses one that cannot be', async () => {
    const bundle = await t.bundle()
    const plan = (socket: string) =>
      t.runtime(['debug', 'plan', '--steps', bundle.path], {
        env: { PATH: process.env.PATH ?? '', NOTIFY_SOCKET: socket },
      })
    const { stdout } = await plan('/run/systemd/notify')
    expect(stdout).toMatch(/^ +\d+ {2}attach ROOT\/ID\/notify to \/run\/notify for mounts\[\d+\]: move_mount\(/m)
    expect(stdout).toContain('"NOTIFY_SOCKET=/run/notify/notify.sock"')
    expect((await t.ok(['debug', 'plan', '--steps', bundle.path])).stdout).not.toMatch(/notify/i)
    expect(readdirSync(t.root)).toEqual([])
    expect(await plan('relative')).toMatchObject({ exitCode: 1, stdout: '' })
  })

  it('goes where create goes when a symlink of the image leads to what is not there', async () => {
    const bundle = await t.bundle({
      spec: (spec) => {
        spec.mounts.push({ destination: '/link/x', type: 'tmpfs', source: 'tmpfs' })
      },
    })
    symlinkSync('/far/away', join(bundle.rootfs, 'link'))
    const { stdout } = await t.ok(['debug', 'plan', '--steps', bundle.path])
    expect(stdout).toMatch(/^ +\d+ {2}mount tmpfs on \/far\/away\/x for /m)
    expect(stdout).not.toContain('/link/x')
  })

  it('prints the program of linux.seccomp', async () => {
    const bundle = await t.bundle({
      spec: (spec) => {
        spec.linux.seccomp = {
          defaultAction: 'SCMP_ACT_ALLOW',
          syscalls: [{ names: ['acct'], action: 'SCMP_ACT_ERRNO', errnoRet: 7 }],
        }
      },
    })
    const { stdout } = await t.ok(['debug', 'plan', '--steps', bundle.path])
    const [, program = ''] = /^# seccomp program \(bpf\)\n((?: +\d+ {2}.*\n)+)/m.exec(stdout) ?? []
    expect(program).toMatch(/^ +0 {2}a = arch$/m)
    expect(program).toMatch(/ {2}return errno 7\n/)
    expect(stdout).toContain(`{${program.trimEnd().split('\n').length} instructions}`)
    const unfiltered = await t.ok(['--seccomp=false', 'debug', 'plan', '--steps', bundle.path])
    expect(unfiltered.stdout).toContain('no filter: --seccomp is off\n')
    expect(unfiltered.stdout).not.toContain('# seccomp program')
  })

  it('drops the capabilities after the mounts and loads seccomp last', async () => {
    const { container } = await plan({
      spec: (spec) => {
        spec.linux.seccomp = {
          defaultAction: 'SCMP_ACT_ALLOW',
          architectures: ['SCMP_ARCH_X86_64'],
          syscalls: [{ names: ['acct'], action: 'SCMP_ACT_ERRNO' }],
        }
      },
    })
    const calls = container.map(({ call }) => call.split('(')[0] ?? '')
    expect(calls.indexOf('pivot_root')).toBeLessThan(calls.indexOf('capset'))
    expect(calls.lastIndexOf('capset')).toBeLessThan(calls.lastIndexOf('seccomp'))
  })

  it('holds no text of the spec in the liblxc config', async () => {
    const { lxcConfig } = await plan({
      args: ['canary-args'],
      process: { env: ['CANARY=canary-env', 'PATH=/bin'] },
      spec: (spec) => {
        spec.process.args = ['true', 'canary-args']
        spec.hostname = 'canary-hostname'
        spec.annotations = { canary: 'canary' }
        spec.mounts.push({ destination: '/canary', type: 'tmpfs', source: 'canary' })
      },
    })
    expect(lxcConfig).not.toMatch(/canary/)
  })

  it('does nothing: no container, no cgroup, no file in the rootfs', async () => {
    const bundle = await t.bundle({ rootfs: 'empty-static' })
    const before = listTree(bundle.rootfs)
    await t.ok(['debug', 'plan', bundle.path])
    expect(listTree(bundle.rootfs)).toEqual(before)
    expect(existsSync(t.root) ? readdirSync(t.root) : []).toEqual([])
    expect(findCgroups((name) => name === 'ID')).toEqual([])
  })

  it('refuses what create would refuse, with the same sentence', async () => {
    const bundle = await t.bundle({ process: { cwd: 'relative' } })
    const [planned, created] = [
      await t.runtime(['debug', 'plan', bundle.path]),
      await t.runtime(['create', '--bundle', bundle.path, t.id()]),
    ]
    expect(planned).toMatchObject({ exitCode: 1, stdout: '' })
    expect(planned.stderr).toBe(created.stderr)
  })
})
