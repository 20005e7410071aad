import { checkSupport } from '@crio-lxc/core/oci/check-support'
import { parseSpec } from '@crio-lxc/core/oci/parse-spec'
import { expect, test } from 'vitest'
import { type Json, specWith } from './spec-with.ts'

const ROUNDS = 5000

/** Values that have broken parsers, mixed into every place of a document. */
const oddities: Json[] = [
  null,
  true,
  false,
  0,
  -1,
  0.5,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  1e300,
  '',
  'x',
  '/',
  '..',
  '\0',
  'a\nlxc.hook.pre-start = /bin/touch /tmp/x',
  '\r',
  '\ud800',
  'x'.repeat(5000),
  '__proto__',
  [],
  [[]],
  {},
  { __proto__: null, constructor: 1, toString: 'x' },
  Array.from({ length: 300 }, () => ({})),
]

/** Fields beyond the default spec, so that each part of the tables is walked. */
const full = specWith({
  'process.user': { uid: 1, gid: 1, umask: 0o22, additionalGids: [5] },
  'process.consoleSize': { height: 25, width: 80 },
  'process.oomScoreAdj': 10,
  'process.scheduler': { policy: 'SCHED_DEADLINE', runtime: 1, flags: ['SCHED_FLAG_RECLAIM'] },
  'process.execCPUAffinity': { initial: '0' },
  'mounts[7]': { destination: 'x', uidMappings: [{ containerID: 0, hostID: 0, size: 1 }] },
  'hooks.poststop': [{ path: '/x', args: ['x'], env: ['A=1'], timeout: 5 }],
  domainname: 'example',
  annotations: { 'a.b': 'c' },
  windows: { layerFolders: [] },
  'linux.sysctl': { 'net.ipv4.ip_forward': '1' },
  'linux.devices': [{ path: '/dev/fuse', type: 'c', major: 10, minor: 229, fileMode: 438, uid: 0, gid: 0 }],
  'linux.netDevices': { eth0: { name: 'eth1' } },
  'linux.timeOffsets': { boottime: { secs: 1, nanosecs: 2 } },
  'linux.intelRdt': { schemata: ['L3:0=f'] },
  'linux.resources.memory': { limit: 1, swappiness: 1 },
  'linux.resources.cpu': { quota: -1, cpus: '0' },
  'linux.resources.blockIO': { weightDevice: [{ major: 8, minor: 0, weight: 10 }] },
  'linux.resources.rdma': { mlx5_1: { hcaHandles: 3 } },
  'linux.seccomp': {
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }] }],
  },
})

/** mulberry32: the same documents on every run. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), 1 | state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) % below
  }
}

/** Every object or array of the document with the name of one of its members. */
function places(value: Json, found: [Json, string][] = []): [Json, string][] {
  if (typeof value !== 'object' || value === null) return found
  for (const name of Object.keys(value)) {
    found.push([value, name])
    places(value[name], found)
  }
  return found
}

function mutate(document: Json, random: (below: number) => number): void {
  const all = places(document)
  const [holder, name] = all[random(all.length)] as [Json, string]
  const other = all[random(all.length)] as [Json, string]
  const change = random(4)
  if (change === 0) delete holder[name]
  else if (change === 1) holder[name] = structuredClone(other[0][other[1]])
  else if (change === 2 && !Array.isArray(holder)) holder[String(oddities[10 + random(10)])] = holder[name]
  else holder[name] = oddities[random(oddities.length)]
}

/** 'valid', or the error when it is one sentence of ours; anything else is thrown. */
function outcome(text: string): string {
  try {
    checkSupport(parseSpec(text), () => true)
    return 'valid'
  } catch (error) {
    expect(error).toMatchObject({ name: 'SpecError', code: 'invalid-spec' })
    const { message, pointer } = error as { message: string; pointer: string }
    expect(message.startsWith(`${pointer}: `), message).toBe(true)
    expect(pointer).not.toBe('')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get to a terminal
    expect(message).not.toMatch(/[\u0000-\u001f]/)
    expect(message).not.toMatch(/undefined|NaN|\[object|instancePath/)
    return message
  }
}

test('parseSpec() and checkSupport() answer any changed document with a Spec or one sentence', () => {
  const random = randomFrom(1)
  const seen = new Set<string>()
  for (let round = 0; round < ROUNDS; round++) {
    const document = structuredClone(full)
    for (let changes = random(3); changes >= 0; changes--) mutate(document, random)
    seen.add(outcome(JSON.stringify(document)))
  }
  expect(seen.size).toBeGreaterThan(300)
})

test('parseSpec() answers any changed text with a Spec or one sentence', () => {
  const random = randomFrom(2)
  const source = JSON.stringify(full, null, 1)
  const pieces = [
    '"',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '\\',
    '\\u0000',
    '\n',
    '1e9',
    '18446744073709551615',
    'null',
    '\ud800',
  ]
  const seen = new Set<string>()
  for (let round = 0; round < ROUNDS; round++) {
    const at = random(source.length)
    const piece = pieces[random(pieces.length)] ?? ''
    seen.add(outcome(source.slice(0, at) + piece + source.slice(at + random(3))))
  }
  expect(seen.size).toBeGreaterThan(300)
})
