/** The module that the package brings for SELinux: loaded with the policy of test/vm/selinux.cil, which knows its types. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { runtimePath } from '../../support/runtime.ts'

requires('root', 'own-runtime', 'selinux')
const t = useContainers()

const domain = 'system_u:system_r:container_t:s0:c1,c2'
const installed = ['bin/crio-lxc', ...['hook', 'init', 'start'].map((name) => `libexec/crio-lxc/crio-lxc-${name}`)]

/** What the policy's file contexts say of a path; the last expression that matches wins. */
function contextOf(path: string): string {
  const lines = readFileSync('/vm/file_contexts', 'utf8').trim().split('\n')
  const [, context] = lines
    .map((line) => line.split(/\s+(?:--\s+)?/))
    .findLast(([expression]) => new RegExp(`^${expression}$`).test(path)) ?? ['', '']
  return context ?? ''
}

/** A copy below a prefix on a tmpfs, labelled as restorecon(8) would label it below /usr. */
function install(): string {
  const prefix = t.hostDirectory('prefix-')
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', prefix])
  t.defer(() => void execFileSync('umount', ['--lazy', prefix]))
  const dist = dirname(dirname(runtimePath))
  mkdirSync(join(prefix, 'libexec'))
  execFileSync('cp', ['-a', join(dist, 'bin'), prefix])
  execFileSync('cp', ['-a', join(dist, 'libexec/crio-lxc'), join(prefix, 'libexec')])
  for (const path of installed) execFileSync('chcon', [contextOf(`/usr/${path}`), join(prefix, path)])
  return join(prefix, 'bin/crio-lxc')
}

it('every program is labelled, also init of the stage', () => {
  const paths = [...installed, 'libexec/crio-lxc/stage/init'].flatMap((path) => [`/usr/${path}`, `/usr/local/${path}`])
  expect(new Set(paths.map(contextOf))).toEqual(new Set(['system_u:object_r:container_runtime_exec_t:s0']))
  expect(contextOf('/run/crio-lxc/web/init.json')).toBe('system_u:object_r:container_var_run_t:s0')
  expect(contextOf('/usr/bin/crio-lxc-other')).toBe('')
})

it('the runtime is in its domain, and the container in its own', async () => {
  const program = install()
  const { path } = await t.bundle({
    args: ['sh', '-c', 'cat /proc/self/attr/current; exec sleep 1000'],
    process: { selinuxLabel: domain },
  })
  const id = t.id()
  const run = spawn(program, ['--root', t.root, 'run', '--bundle', path, id])
  const errors: string[] = []
  run.stderr.on('data', (data) => errors.push(String(data)))
  const [said] = await once(run.stdout, 'data')
  expect(String(said).replace(/[\0\n]/g, ''), errors.join('')).toBe(domain)
  expect(t.read(`/proc/${run.pid}/attr/current`)).toMatch(/^system_u:system_r:container_runtime_t:s0/)
  execFileSync(program, ['--root', t.root, 'kill', id, 'KILL'])
  expect((await once(run, 'exit'))[0]).toBe(137)
})
