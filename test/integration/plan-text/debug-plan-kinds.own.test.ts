import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import type { Spec } from '../../support/spec.ts'

requires('root', 'own-runtime')
const t = useContainers()

describe('debug plan --diff', () => {
  const differs = async (change: (spec: Spec) => void, flags: string[] = []) => {
    const [other, bundle] = [await t.bundle(), await t.bundle({ spec: change })]
    return await t.runtime(['debug', 'plan', ...flags, '--diff', other.path, bundle.path])
  }

  it('prints nothing of bundles that are the same but for where they are', async () => {
    expect(await differs(() => undefined)).toMatchObject({ exitCode: 0, stdout: '', stderr: '' })
  })

  it('prints what differs, section by section, and exits with 2', async () => {
    const { exitCode, stdout } = await differs((spec) => {
      spec.mounts.unshift({ destination: '/mnt', type: 'bind', source: '/tmp', options: ['rbind', 'ro'] })
      spec.process.user = { uid: 5, gid: 0 }
      spec.linux.maskedPaths = []
    })
    expect(exitCode).toBe(2)
    expect(stdout).toMatch(/^--- \/.*\n\+\+\+ \/.*\n\n# /)
    expect(stdout).toMatch(/^\+ \/mnt {2}bind {2}\/tmp {2}rbind,ro {2}-$/m)
    expect(stdout).toMatch(/^- uid 0, gid 0, .*\n\+ uid 5, gid 0, /m)
    expect(stdout).toMatch(/^- masked {2}\/proc\//m)
    expect(stdout).toMatch(/^# steps\n\d+ lines differ: --steps prints them$/m)
    expect(stdout).not.toMatch(/^# (namespaces|capabilities|hooks)$/m)
  })

  it('prints the steps that differ with --steps, and not those that only have other numbers', async () => {
    const change = (spec: Spec) => {
      spec.mounts.push({ destination: '/mnt', type: 'bind', source: '/tmp', options: ['rbind'] })
    }
    const { exitCode, stdout } = await differs(change, ['--steps'])
    expect(exitCode).toBe(2)
    const changed = stdout.split('\n').filter((line) => /^[-+] /.test(line) && line.includes('('))
    expect(changed).toContainEqual(
      expect.stringMatching(/^\+ attach \/tmp to \/mnt for mounts\[\d+\]: move_mount\(FD, /),
    )
    expect(changed.filter((line) => !/mnt|mounts\[/.test(line))).toEqual([])
  })

  it('fails as every verb does, and takes no --json', async () => {
    const bundle = await t.bundle()
    const failed = await t.runtime(['debug', 'plan', '--diff', '/nonexistent', bundle.path])
    expect(failed).toMatchObject({ exitCode: 1, stdout: '' })
    expect(failed.stderr).toContain('/nonexistent/config.json')
    const both = await t.runtime(['debug', 'plan', '--json', '--diff', bundle.path, bundle.path])
    expect(both).toMatchObject({ exitCode: 1, stdout: '' })
  })
})

describe('debug plan --exec', () => {
  it('prints what exec would do, without a container', async () => {
    const bundle = await t.bundle()
    const flags = ['--exec', '--user', '5:6', '--env', 'A=b', '--cap', 'CAP_NET_ADMIN', '--cwd', '/tmp']
    const { stdout } = await t.ok(['debug', 'plan', ...flags, bundle.path, '--', 'ps', '-ef'])
    expect(stdout).toMatch(/^# namespaces that are entered\n.*\bpid\b/m)
    expect(stdout).toMatch(/^args +\["ps","-ef"\]$/m)
    expect(stdout).toMatch(/^uid 5, gid 6, /m)
    expect(stdout).toMatch(/^bounding.*: .*CAP_NET_ADMIN/m)
    expect(stdout).toMatch(/^exec \d+: --steps prints them$/m)
    const { stdout: steps } = await t.ok(['debug', 'plan', '--steps', ...flags, bundle.path, '--', 'ps', '-ef'])
    expect(steps).toMatch(/^ +\d+ {2}join the container's mount namespace: setns\(\d+, CLONE_NEWNS\)$/m)
    expect(steps).toMatch(/: execve\(<.*>, \["ps", "-ef"\], \[.*"A=b".*\]\)/)
    expect(readdirSync(t.root)).toEqual([])
  })

  it('takes a process, or the command of the container', async () => {
    const bundle = await t.bundle({ args: ['sleep', '7'] })
    const file = join(t.hostDirectory('process-'), 'process.json')
    writeFileSync(file, JSON.stringify({ args: ['id'], cwd: '/', user: { uid: 9, gid: 9 } }))
    const plan = async (...flags: string[]) => (await t.ok(['debug', 'plan', '--exec', ...flags, bundle.path])).stdout
    expect(await plan('--process', file)).toMatch(/^args +\["id"\]$(.*\n)*uid 9, gid 9, /m)
    expect(await plan()).toMatch(/^args +\["sleep","7"\]$/m)
    const { exec } = JSON.parse(await plan('--json', '--tty')) as { exec: { call: string }[] }
    expect(exec.map(({ call }) => call.split('(')[0])).toEqual(expect.arrayContaining(['setns', 'ioctl', 'execve']))
  })

  it.each([
    [['--user', '5'], '--user describes a process of exec: give --exec'],
    [['--exec', '--diff', '/x'], '--diff compares what create does: leave --exec out'],
    [['--exec', '--process', '/x', '/bundle'], 'takes either a command or --process FILE'],
  ])('refuses %j', async (flags, problem) => {
    const { exitCode, stderr } = await t.runtime(['debug', 'plan', ...flags, '/bundle'])
    expect(exitCode).toBe(1)
    expect(stderr).toContain(problem)
  })
})
