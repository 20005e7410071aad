/** Documents that would take minutes or gigabytes, if nothing were bounded. */
import { encode } from '@crio-lxc/core/abi/bytes'
import { defaultSpec } from '@crio-lxc/core/oci/default-spec'
import { clone } from './clone.ts'
import type { Input } from './fuzz-inputs.ts'
import { raw, toText } from './raw-json.ts'
import type { Json } from './valid-spec.ts'

const many = <T>(count: number, item: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => item(index))
const deep = '/a'.repeat(2000)

/** More than a call takes arguments. */
function append(list: Json[], items: readonly Json[]): void {
  for (const item of items) list.push(item)
}

const annotated = (value: string) => (spec: Json) =>
  Object.assign(spec, { annotations: { 'org.systemd.property.CPUQuotaPerSecUSec': value } })

const changes: readonly [name: string, change: (spec: Json) => void][] = [
  [
    'mounts',
    (spec) =>
      append(
        spec.mounts,
        many(9000, (n) => ({ destination: `/m${n}`, type: 'tmpfs' })),
      ),
  ],
  [
    'deep mounts',
    (spec) =>
      append(
        spec.mounts,
        many(500, (n) => ({ destination: `/m${n}${deep}`, type: 'tmpfs' })),
      ),
  ],
  ['masked paths', (spec) => Object.assign(spec.linux, { maskedPaths: many(10_000, (n) => `/m${n}`) })],
  [
    'deep devices',
    (spec) => Object.assign(spec.linux, { devices: many(5000, (n) => ({ path: `/m${n}${deep}`, type: 'p' })) }),
  ],
  [
    'device rules',
    (spec) =>
      append(
        spec.linux.resources.devices,
        many(100_000, (n) => ({ allow: true, type: 'c', major: n, minor: n })),
      ),
  ],
  ['CPUs', (spec) => Object.assign(spec.process, { execCPUAffinity: { final: many(9, () => '0-8191').join(',') } })],
  [
    'memory nodes',
    (spec) =>
      Object.assign(spec.linux, {
        memoryPolicy: { mode: 'MPOL_BIND', nodes: many(1_000_000, () => '0-8191').join(',') },
      }),
  ],
  ['directories in PATH', (spec) => Object.assign(spec.process, { env: [`PATH=${':'.repeat(131_000)}`], args: ['x'] })],
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
  ['a number of systemd without an end', annotated(`uint64 ${'9'.repeat(1_000_000)}`)],
  ['a fraction of systemd without an end', annotated(`1.${'9'.repeat(1_000_000)}`)],
  ['nesting for systemd without an end', annotated('['.repeat(1_000_000))],
  ['escapes for systemd without an end', annotated(`'${'\\"'.repeat(1_000_000)}`)],
  [
    'a string without an end beside a long number',
    (spec) => Object.assign(spec, { x: raw('1111111111111111'), y: raw(`"${'\\"'.repeat(400_000)}`) }),
  ],
]

export const exhaustingNames: readonly string[] = changes.map(([name]) => name)

/** -1 for the first one, and so on. */
export function exhaustingInput(index: number): Input {
  const [, change] = changes[-1 - index] as (typeof changes)[number]
  const spec = clone(defaultSpec)
  change(spec)
  const options = { libseccomp: true, systemd: true, layout: 0, printed: true, whole: true }
  return { file: 'config.json', text: encode(toText(spec)), options, valid: false }
}
