import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { defaultSpec } from '@crio-lxc/core/oci/default-spec'
import { describe, expect, it } from 'vitest'
import { typescript } from '../support/node.ts'
import { outcomeOf } from './fuzz-inputs.ts'
import { raw, toText } from './raw-json.ts'
import type { Json } from './valid-spec.ts'

/** npm run fuzz runs longer, from another seed each time. */
const INPUTS = 20_000
const SEED = 1

describe('config.json', () => {
  // A process of its own: an endless loop or an exhausted heap is then a failure and not the end of the tests.
  it(`${INPUTS} documents end in plans that hold together or in one sentence`, { timeout: 240_000 }, async () => {
    const engine = ['--import', join(import.meta.dirname, '../../packages/core/src/sys/node-engine.ts')]
    const args = [...typescript, ...engine, join(import.meta.dirname, 'fuzz.ts')]
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [...args, '--inputs', String(INPUTS), '--seed', String(SEED)],
      { timeout: 230_000 },
    )
    const [, inputs, accepted, refusals] =
      /^(\d+) inputs .*: (\d+) accepted, (\d+) different refusals$/m.exec(stdout) ?? []
    expect(Number(inputs)).toBe(INPUTS)
    expect(Number(accepted)).toBeGreaterThan(INPUTS / 8)
    expect(Number(refusals)).toBeGreaterThan(300)
  })
})

const many = <T>(count: number, item: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => item(index))
const deep = '/a'.repeat(2000)

describe('a document made to exhaust the runtime is one sentence, or no problem', () => {
  it.each<[string, (spec: Json) => void]>([
    ['mounts', (spec) => spec.mounts.push(...many(9000, (n) => ({ destination: `/m${n}`, type: 'tmpfs' })))],
    ['deep mounts', (spec) => spec.mounts.push(...many(500, (n) => ({ destination: `/m${n}${deep}`, type: 'tmpfs' })))],
    ['masked paths', (spec) => Object.assign(spec.linux, { maskedPaths: many(10_000, (n) => `/m${n}`) })],
    [
      'deep devices',
      (spec) => Object.assign(spec.linux, { devices: many(5000, (n) => ({ path: `/m${n}${deep}`, type: 'p' })) }),
    ],
    [
      'device rules',
      (spec) =>
        spec.linux.resources.devices.push(...many(100_000, (n) => ({ allow: true, type: 'c', major: n, minor: n }))),
    ],
    [
      'directories in PATH',
      (spec) => Object.assign(spec.process, { env: [`PATH=${':'.repeat(1_000_000)}`], args: ['x'] }),
    ],
    ['arguments', (spec) => Object.assign(spec.process, { args: many(1_000_000, () => 'x') })],
    [
      'rules of seccomp',
      (spec) =>
        Object.assign(spec.linux, {
          seccomp: {
            defaultAction: 'SCMP_ACT_ALLOW',
            syscalls: [{ names: many(500_000, () => 'read'), action: 'SCMP_ACT_LOG' }],
          },
        }),
    ],
    [
      'sysctls',
      (spec) => Object.assign(spec.linux, { sysctl: Object.fromEntries(many(100_000, (n) => [`net.a${n}`, '1'])) }),
    ],
    ['a version without an end', (spec) => Object.assign(spec, { ociVersion: 'x'.repeat(1_000_000) })],
    ['a key without an end', (spec) => Object.assign(spec, { annotations: { [`\n${'x'.repeat(1_000_000)}`]: '' } })],
    ['digits without an end', (spec) => Object.assign(spec.process, { oomScoreAdj: raw('1'.repeat(1_000_000)) })],
    ['brackets without an end', (spec) => Object.assign(spec, { x: raw('['.repeat(1_000_000)) })],
  ])('%s', { timeout: 60_000 }, (_, change) => {
    const spec = structuredClone(defaultSpec) as Json
    change(spec)
    const options = { libseccomp: true, systemd: false, layout: 0 }
    expect(outcomeOf({ text: toText(spec), options, valid: false }).defect).toBeUndefined()
  })
})
