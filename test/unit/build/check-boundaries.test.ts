import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { typescript } from '../../support/node.ts'

const script = resolve(import.meta.dirname, '../../../scripts/check-boundaries.ts')

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'check-boundaries-'))
})
afterEach(() => rmSync(root, { recursive: true }))

/** Writes the sources below packages/ and returns what the check says about them. */
function check(sources: Record<string, string>): { status: number | null; stderr: string } {
  for (const [path, source] of Object.entries(sources)) {
    const file = join(root, 'packages', path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `${source}\n`)
  }
  return spawnSync(process.execPath, [...typescript, script, root], { encoding: 'utf8' })
}

const host = { 'core/src/host/cgroup/apply.ts': 'export interface Applied {}\nexport const apply = 1' }

test('check-boundaries accepts the layers in their order', () => {
  const { status, stderr } = check({
    'core/src/errors/codes.ts': 'export const code = 1',
    'core/src/abi/errno.ts': 'export const EPERM = 1',
    'core/src/sys/node-engine.ts':
      "import type k from 'koffi'\nimport 'node:fs'\nimport { code } from '../errors/codes.ts'\nexport type K = typeof k",
    'core/src/host/cgroup/plan/writes.ts': "import { EPERM } from '../../../abi/errno.ts'\nexport { EPERM }",
    'core/src/host/cgroup/apply.ts': "import './plan/writes.ts'\nimport '../../sys/node-engine.ts'",
    'init/src/compile.ts': "import { code } from '@crio-lxc/core/errors/codes'\nexport const plan = code",
    'hook/src/main.ts': "import '@crio-lxc/init/compile'",
    'start-monitor/src/launch.ts': "import '@crio-lxc/core/errors/codes'",
    'runtime-cli/src/creation/plan/inputs.ts': "import '@crio-lxc/core/host/cgroup/plan/writes'",
    'runtime-cli/src/lifecycle/create.ts':
      "import { plan } from '@crio-lxc/init/compile'\nimport '@crio-lxc/start-monitor/launch'\nexport { plan }",
    'runtime-cli/src/library/index.ts': "import 'node:fs'\nimport '../lifecycle/create.ts'",
  })
  expect(stderr).toBe('')
  expect(status).toBe(0)
})

test.each([
  {
    rule: 'core imports no program',
    sources: {
      'core/src/host/cgroup/a.ts': "import { b } from '@crio-lxc/init/b'\nexport { b }",
      'init/src/b.ts': 'export const b = 1',
    },
  },
  {
    rule: 'no room knows a verb or the command line',
    sources: {
      'runtime-cli/src/sources/a.ts': "import { b } from '../lifecycle/b.ts'\nexport { b }",
      'runtime-cli/src/lifecycle/b.ts': 'export const b = 1',
    },
  },
  {
    rule: 'no room knows a verb or the command line',
    sources: {
      'runtime-cli/src/sources/a.ts': "import { b } from '../command-line/b.ts'\nexport { b }",
      'runtime-cli/src/command-line/b.ts': 'export const b = 1',
    },
  },
  {
    rule: 'the verbs know nothing of the command line',
    sources: {
      'runtime-cli/src/lifecycle/a.ts': "import { b } from '../commands/b.ts'\nexport { b }",
      'runtime-cli/src/commands/b.ts': 'export const b = 1',
    },
  },
  {
    rule: 'programs meet only through argv, files and fifos',
    sources: {
      'hook/src/main.ts': "import { b } from '@crio-lxc/start-monitor/b'\nexport { b }",
      'start-monitor/src/b.ts': 'export const b = 1',
    },
  },
  {
    rule: 'programs meet only through argv, files and fifos',
    sources: {
      'runtime-cli/src/a.ts': "import { b } from '@crio-lxc/hook/b'\nexport { b }",
      'hook/src/b.ts': 'export const b = 1',
    },
  },
  {
    rule: 'programs meet only through argv, files and fifos',
    sources: {
      'start-monitor/src/a.ts': "import { b } from '../../runtime-cli/src/b.ts'\nexport { b }",
      'runtime-cli/src/b.ts': 'export const b = 1',
    },
  },
  ...['oci', 'errors', 'seccomp', 'abi', 'plan', 'host/cgroup/plan', 'host/container/plan/deep'].map((folder) => ({
    rule: 'pure code imports only pure code',
    sources: { [`core/src/${folder}/a.ts`]: "import { readFileSync } from 'node:fs'\nexport { readFileSync }" },
  })),
  {
    rule: 'pure code imports only pure code',
    sources: { 'core/src/oci/a.ts': "import { spawn } from 'child_process'\nexport { spawn }" },
  },
  {
    rule: 'pure code imports only pure code',
    sources: { 'init/src/a.ts': "import process from 'node:process'\nexport { process }" },
  },
  {
    rule: 'pure code imports only pure code',
    sources: {
      ...host,
      'core/src/oci/a.ts': "import type { Applied } from '../host/cgroup/apply.ts'\nexport type A = Applied",
    },
  },
  {
    rule: 'pure code imports only pure code',
    sources: {
      ...host,
      'core/src/oci/a.ts': "import { type Applied } from '../host/cgroup/apply.ts'\nexport type A = Applied",
    },
  },
  {
    rule: 'pure code imports only pure code',
    sources: { ...host, 'start-monitor/src/a.ts': "import '@crio-lxc/core/host/cgroup/apply'" },
  },
  {
    rule: 'pure code imports only pure code',
    sources: { ...host, 'runtime-cli/src/settings.ts': "import '@crio-lxc/core/host/cgroup/apply'" },
  },
  {
    rule: 'pure code imports only pure code',
    sources: {
      ...host,
      'runtime-cli/src/creation/plan/a.ts': "export const a = () => import('@crio-lxc/core/host/cgroup/apply')",
    },
  },
  {
    rule: 'a floor of core knows nothing above it',
    sources: {
      'core/src/oci/a.ts': "import { b } from '../host/cgroup/plan/b.ts'\nexport { b }",
      'core/src/host/cgroup/plan/b.ts': 'export const b = 1',
    },
  },
  {
    rule: 'everything of core stands on a floor',
    sources: { 'core/src/cgroup/a.ts': "import '../errors/b.ts'", 'core/src/errors/b.ts': 'export const b = 1' },
  },
  {
    rule: 'the planners of init and of the monitor know nothing of the host',
    sources: {
      'init/src/a.ts': "import { b } from '@crio-lxc/core/host/cgroup/plan/b'\nexport { b }",
      'core/src/host/cgroup/plan/b.ts': 'export const b = 1',
    },
  },
  {
    rule: 'cycle of rooms: cgroup -> process -> cgroup',
    sources: {
      'core/src/host/cgroup/a.ts': "import '../process/a.ts'",
      'core/src/host/process/a.ts': 'export const a = 1',
      'core/src/host/process/b.ts': "import '../cgroup/b.ts'",
      'core/src/host/cgroup/b.ts': 'export const b = 1',
    },
  },
  {
    rule: 'a floor of core knows nothing above it',
    sources: { ...host, 'core/src/sys/a.ts': "import { apply } from '../host/cgroup/apply.ts'\nexport { apply }" },
  },
  {
    rule: 'packages/core/src/sys/node-engine.ts alone loads the native module',
    sources: { 'core/src/host/cgroup/a.ts': "import koffi from 'koffi'\nexport { koffi }" },
  },
  {
    rule: 'yargs renders the help when building',
    sources: { 'runtime-cli/src/lifecycle/a.ts': "import yargs from 'yargs'\nexport { yargs }" },
  },
  {
    rule: 'yargs renders the help when building',
    sources: { 'runtime-cli/src/main.ts': "import { hideBin } from 'yargs/helpers'\nexport { hideBin }" },
  },
  {
    rule: 'packages/core/src/sys/node-engine.ts and the library alone know modules of Node',
    sources: { 'runtime-cli/src/lifecycle/a.ts': "import { join } from 'node:path'\nexport { join }" },
  },
  {
    rule: 'no program contains the library',
    sources: {
      'runtime-cli/src/commands/a.ts': "import { b } from '../library/b.ts'\nexport { b }",
      'runtime-cli/src/library/b.ts': 'export const b = 1',
    },
  },
  {
    rule: 'bunyan is only for packages/core/src/host/log',
    sources: { 'core/src/host/cgroup/a.ts': "import bunyan from 'bunyan'\nexport { bunyan }" },
  },
  {
    rule: 'import cycle: packages/core/src/host/cgroup/a.ts -> packages/core/src/host/cgroup/b.ts -> packages/core/src/host/cgroup/a.ts',
    sources: { 'core/src/host/cgroup/a.ts': "import './b.ts'", 'core/src/host/cgroup/b.ts': "import './a.ts'" },
  },
  {
    rule: 'cycle of rooms: caller -> sources -> caller',
    sources: {
      'runtime-cli/src/caller/a.ts': "import '../sources/a.ts'",
      'runtime-cli/src/sources/a.ts': "import './b.ts'",
      'runtime-cli/src/sources/b.ts': "import '../caller/c.ts'",
      'runtime-cli/src/caller/c.ts': 'export const c = 1',
    },
  },
])('check-boundaries refuses $sources: $rule', ({ rule, sources }) => {
  const { status, stderr } = check(sources)
  expect(stderr).toContain(rule)
  expect(status).toBe(1)
})

/** A module with so many imports, and what it imports. */
function importing(values: number, types = 0): Record<string, string> {
  const names = Array.from({ length: values + types }, (_, index) => `m${index}`)
  const lines = names.map((name, index) => `import ${index < values ? '' : 'type '}{ ${name} } from './${name}.ts'`)
  const modules = names.map((name) => [`core/src/host/cgroup/${name}.ts`, `export const ${name} = 1`])
  return { ...Object.fromEntries(modules), 'core/src/host/cgroup/all.ts': lines.join('\n') }
}

test('check-boundaries counts what a module loads, and not the types that it imports', () => {
  expect(check(importing(20, 5))).toMatchObject({ status: 0, stderr: '' })
  const { status, stderr } = check(importing(21))
  expect(stderr).toBe('packages/core/src/host/cgroup/all.ts imports 21 modules of the project: more than 20\n')
  expect(status).toBe(1)
})
