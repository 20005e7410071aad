import type { Decision } from '@crio-lxc/core/oci/decision'
import { support } from '@crio-lxc/core/oci/support'
import { describe, expect, it } from 'vitest'
import { outcomeOf } from './fuzz-inputs.ts'
import { randomOf } from './random.ts'
import { toText } from './raw-json.ts'
import { type Json, validSpec } from './valid-spec.ts'

/** What a text of the caller's must not do: become a directive of liblxc's config, a second option, or a long message. */
const payloads = {
  'a directive of liblxc': 'x\nlxc.hook.pre-start = /bin/touch /pwned',
  'a carriage return': 'x\rlxc.hook.pre-start = /bin/touch /pwned',
  'a tab': 'x\ty',
  'an option': 'x,context=y',
  'a terminal sequence': '\u001b]0;x\u0007',
  'a C1 control character': 'x\u0080y',
  'sixteen pages': 'x'.repeat(65_536),
  nothing: '',
}

interface Place {
  readonly document: number
  readonly path: readonly (string | number)[]
}

/** Fields that few hosts have, or that valid documents at random seldom agree about. */
const rare: Json = {
  process: {
    scheduler: {
      policy: 'SCHED_DEADLINE',
      nice: 0,
      priority: 0,
      flags: ['SCHED_FLAG_RECLAIM'],
      runtime: 1,
      deadline: 2,
      period: 3,
    },
    apparmorProfile: 'unconfined',
    selinuxLabel: 'u:r:t:s0',
    ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 1 },
    execCPUAffinity: { initial: '0', final: '0-1' },
  },
  linux: {
    netDevices: { eth7: { name: 'eth0' } },
    resources: {
      memory: { kernelTCP: 1, swappiness: 1, checkBeforeUpdate: true },
      cpu: { burst: 1, realtimeRuntime: 1, realtimePeriod: 2, mems: '0' },
      blockIO: {
        leafWeight: 100,
        weightDevice: [{ major: 8, minor: 0, weight: 100, leafWeight: 100 }],
        throttleWriteBpsDevice: [{ major: 8, minor: 0, rate: 1 }],
        throttleReadIOPSDevice: [{ major: 8, minor: 0, rate: 1 }],
        throttleWriteIOPSDevice: [{ major: 8, minor: 0, rate: 1 }],
      },
      network: { classID: 1, priorities: [{ name: 'lo', priority: 1 }] },
      unified: { 'memory.high': '1000000' },
    },
    intelRdt: {
      closID: 'group',
      schemata: ['MB:0=50'],
      l3CacheSchema: 'L3:0=f',
      memBwSchema: 'MB:0=50',
      enableMonitoring: true,
      enableCMT: true,
      enableMBM: true,
    },
    memoryPolicy: { mode: 'MPOL_BIND', nodes: '0', flags: ['MPOL_F_STATIC_NODES'] },
    seccomp: { defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 1 },
    mountLabel: 'u:r:t:s0',
    personality: { domain: 'LINUX' },
  },
}

/** One more than the random ones. */
const DOCUMENTS = 400
function documentOf(index: number): Json {
  if (index < DOCUMENTS) return validSpec(randomOf(7, index))
  const document = validSpec(randomOf(7, 0)) as Json
  const { namespaces } = document.linux
  // Network devices do not move into a user namespace.
  for (const name of ['uidMappings', 'gidMappings']) document.linux[name] = undefined
  document.linux.namespaces = namespaces.filter(({ type }: Json) => type !== 'user' && type !== 'network')
  document.linux.namespaces.push({ type: 'network' })
  return merge(document, rare)
}

function merge(into: Json, from: Json): Json {
  for (const [name, value] of Object.entries(from))
    into[name] =
      typeof value === 'object' && !Array.isArray(value) && name !== 'seccomp' && name !== 'scheduler'
        ? merge(into[name] ?? {}, value)
        : value
  return into
}

/** Where the documents have strings and keys, by the field: `mounts[].options[]` is one, in whichever document. */
const strings = new Map<string, Place>()
const fields = new Set<string>()
for (let document = 0; document <= DOCUMENTS; document++) collect(documentOf(document), { document, path: [] })

function collect(value: unknown, { document, path }: Place, field = ''): void {
  fields.add(field)
  if (typeof value === 'string' && !strings.has(field)) strings.set(field, { document, path })
  if (typeof value !== 'object' || value === null) return
  for (const [name, member] of Object.entries(value)) {
    const step = Array.isArray(value) ? Number(name) : name
    const below = Array.isArray(value) ? `${field}[]` : field === '' ? name : `${field}.${name}`
    collect(member, { document, path: [...path, step] }, below)
  }
}

/** Every field that support.ts decides about and that is not left alone. */
function supportedFields(table: Readonly<Record<string, unknown>>, parent = ''): string[] {
  return Object.entries(table).flatMap(([name, row]) => {
    const field = parent === '' ? name : `${parent}.${name}`
    if (typeof row !== 'object' || row === null) return [field]
    if ('fields' in row) return supportedFields(row.fields as Record<string, Decision>, field)
    if ('each' in row) return supportedFields(row.each as Record<string, Decision>, `${field}[]`)
    return 'ignored' in row || 'unsupported' in row ? [] : [field]
  })
}

describe('every string of config.json', () => {
  it('is in some document', () => {
    expect(supportedFields(support).filter((field) => !fields.has(field))).toEqual([])
  })

  it.each(Object.entries(payloads))('may hold %s: it is refused in one sentence, or goes nowhere', (_, payload) => {
    const defects: string[] = []
    for (const [field, { document, path }] of strings) {
      const spec = documentOf(document)
      let parent = spec
      for (const step of path.slice(0, -1)) parent = parent[step]
      parent[path.at(-1) as string | number] = payload
      const options = {
        libseccomp: false,
        systemd: document % 2 === 0,
        layout: document % 3,
        printed: true,
        whole: true,
      }
      const { defect } = outcomeOf({ file: 'config.json', text: toText(spec), options, valid: false })
      if (defect !== undefined) defects.push(`${field}: ${defect}`)
    }
    expect(strings.size).toBeGreaterThan(60)
    expect(defects).toEqual([])
  })
})
