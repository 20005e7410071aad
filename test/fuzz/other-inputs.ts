/** What is read besides config.json, and by whom: valid texts and bytes of each, to be changed, and the function that reads them. */
import { decode, encode, structOf } from '@crio-lxc/core/abi/bytes'
import { decodeMessage, encodeMessage, messageLength } from '@crio-lxc/core/dbus/message'
import { printable } from '@crio-lxc/core/errors/printable'
import { StderrExcerpt } from '@crio-lxc/core/hook/stderr-excerpt'
import type { CgroupLayout } from '@crio-lxc/core/host/cgroup/plan/cgroup-layout'
import { planDevices } from '@crio-lxc/core/host/cgroup/plan/device-plan'
import { planDeviceWrites, planResourceWrites } from '@crio-lxc/core/host/cgroup/plan/resource-writes'
import { planAnnotatedProperties } from '@crio-lxc/core/host/cgroup/plan/unit-annotations'
import { readContainerFacts, readInitFacts } from '@crio-lxc/core/host/container/container-facts'
import { checkContainerId } from '@crio-lxc/core/host/container/container-id'
import { decodeJSON } from '@crio-lxc/core/host/container/json-file'
import { parseProcStat } from '@crio-lxc/core/host/process/proc'
import { readProgramHeader } from '@crio-lxc/core/host/process/program-header'
import { checkProcessSupport, checkResourcesSupport } from '@crio-lxc/core/oci/check-support'
import { readyMessage } from '@crio-lxc/core/oci/notify-message'
import { parseProcess, parseResources } from '@crio-lxc/core/oci/parse-spec'
import { parseRecord, RECORD_BYTES } from '@crio-lxc/core/plan/record'
import { cachedProgram, cacheEntry } from '@crio-lxc/core/seccomp/cache-entry'
import { printSeccompProgram } from '@crio-lxc/core/seccomp/print-program'
import { homeIn } from '../../packages/runtime-cli/src/entering/home.ts'
import { checkWrites } from './check-plan.ts'
import { programFile, variantText } from './image-files.ts'
import { planProcessOf } from './pipeline.ts'
import type { Random } from './random.ts'
import { type Json, text, validSpec } from './valid-spec.ts'

interface OtherInput {
  /** A document to be changed as one and written as JSON, or a text, or bytes. */
  make(random: Random): Json | string | Uint8Array
  /** What is returned has to be the same in every engine. */
  read(bytes: Uint8Array, layout: CgroupLayout): unknown
  /** JSON as the engine reads it, which takes more than JSON: what becomes of a wrong one differs. */
  readonly own?: true
}

const everything = (): boolean => true

export const otherInputs: Readonly<Record<string, OtherInput>> = {
  'process.json': {
    make: (random) => validSpec(random).process,
    read: (bytes) => {
      const process = parseProcess(bytes)
      checkProcessSupport(process, everything)
      return planProcessOf(process)
    },
  },
  'resources.json': {
    make: (random) => validSpec(random).linux.resources,
    read: (bytes, layout) => {
      const resources = parseResources(bytes)
      checkResourcesSupport(resources, everything)
      const writes = [
        ...planDeviceWrites(planDevices(resources, layout)),
        ...planResourceWrites(resources, { layout, read: () => undefined }),
      ]
      checkWrites('/c', writes)
      return writes.length
    },
  },
  'container.json': {
    own: true,
    make: containerFacts,
    read: (bytes) => {
      const path = 'container.json'
      return readContainerFacts(decodeJSON(bytes, path), { path, id: 'c', root: '/run' }).containerId
    },
  },
  'init.json': {
    own: true,
    make: (random) => ({
      init: { pid: random.below(2 ** 22), startTime: random.below(2 ** 31) },
      startSteps: { 7: text(random) },
      command: text(random),
      ...(random.once(2) && { monitor: { pid: 1, startTime: 0 } }),
    }),
    read: (bytes) => readInitFacts(decodeJSON(bytes, 'init.json'), 'init.json').init.pid,
  },
  'seccomp.bpf': {
    make: (random) => Uint8Array.from({ length: 8 * random.below(40) }, () => random.below(256)),
    read: (bytes) => printSeccompProgram(bytes.subarray(0, bytes.length & ~7)),
  },
  'a compiled filter of the cache': {
    make: (random) => {
      const program = Uint8Array.from({ length: 8 * random.below(40) }, () => random.below(256))
      return cacheEntry('input', program) as Uint8Array
    },
    read: (bytes) => cachedProgram(bytes, 'input')?.join(),
  },
  'etc/passwd': {
    make: (random) =>
      random
        .list(8, () => `${text(random)}:x:${random.below(4)}:0:${text(random)}:/h${random.below(9)}:/bin/sh`)
        .join('\n'),
    read: (bytes) => [0, 1, 2].map((uid) => homeIn(decode(bytes), uid)),
  },
  'a program of the image': {
    make: programFile,
    read: (bytes) => readProgramHeader((offset, length) => bytes.subarray(offset, offset + length)),
  },
  'a record of a plan': {
    make: (random) => Uint8Array.from({ length: RECORD_BYTES }, () => (random.once(2) ? 0 : random.below(256))),
    read: (bytes) => {
      const record = new Uint8Array(RECORD_BYTES)
      record.set(bytes.subarray(0, RECORD_BYTES))
      return parseRecord(structOf(record), bytes.length, 'the process')
    },
  },
  '/proc/PID/stat': {
    make: (random) =>
      `7 (${text(random)}) S 1 7 7 0 -1 4194560 ${Array.from({ length: 40 }, () => random.below(99)).join(' ')}`,
    read: (bytes) => parseProcStat(decode(bytes)),
  },
  'stderr of a hook': {
    make: (random) => random.list(5, () => text(random)).join('\n'),
    read: (bytes) => {
      const excerpt = new StderrExcerpt()
      excerpt.add(bytes.subarray(0, 100))
      excerpt.add(bytes.subarray(100))
      return printable(excerpt.clause())
    },
  },
  'a message of sd_notify': {
    make: (random) =>
      ['READY=1', `STATUS=${text(random)}`, text(random), 'MAINPID=1'].slice(random.below(2)).join('\n'),
    read: (bytes) => readyMessage(bytes, 7),
  },
  'a message of D-Bus': {
    make: (random) =>
      encodeMessage({
        type: random.pick(['reply', 'signal', 'error']),
        serial: 1 + random.below(9),
        replySerial: 1,
        member: 'JobRemoved',
        signature: 'ua(sv)ass',
        body: [7, [['x', { signature: 'as', value: ['y'] }]], [text(random), ''], text(random)],
      }),
    read: (bytes) => {
      const length = messageLength(bytes)
      return length !== undefined && length <= bytes.length ? decodeMessage(bytes.subarray(0, length)) : length
    },
  },
  'a property of systemd': {
    make: variantText,
    read: (bytes) => planAnnotatedProperties({ 'org.systemd.property.TimeoutStopSec': decode(bytes) }),
  },
  'an id': {
    make: (random) => random.pick(['a', 'x'.repeat(254), 'a+b_c-d.e', '...', text(random)]),
    read: (bytes) => checkContainerId(decode(bytes)),
  },
}

function containerFacts(random: Random): Json {
  const { annotations, hooks, linux } = validSpec(random)
  return {
    schemaVersion: 1,
    containerId: 'c',
    createdAt: '2026-01-01T00:00:00Z',
    bundlePath: text(random),
    cgroupDir: random.pick(['/a/b', '/a', 'a', '/../b']),
    monitorCgroupDir: '/m',
    annotations,
    hooks,
    namespaces: linux.namespaces,
    creator: { pid: random.below(2 ** 22), startTime: random.below(2 ** 31) },
    madeCgroups: ['/a', text(random)],
    ...(random.once(3) && { resctrl: { tasks: ['/x'], remove: [text(random)] } }),
  }
}

/** The result in one line, the same in each engine. */
export function resultText(value: unknown): string {
  const written = JSON.stringify(value, (_, member: unknown) => {
    if (typeof member === 'bigint') return `${member}n`
    if (member instanceof Uint8Array) return encode(decode(member)).length
    return member
  })
  return `${written?.length} ${written?.slice(0, 200)}`
}
