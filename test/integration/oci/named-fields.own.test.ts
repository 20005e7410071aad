/** A value of config.json that cannot be honoured is refused by the name of its field. */
import { describe, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { expectOneSentence } from '../../support/one-sentence.ts'
import { requires } from '../../support/requires.ts'
import { type Spec, setNamespace } from '../../support/spec.ts'

requires('root', 'own-runtime')
const t = useContainers()

const change = (edit: (spec: Spec) => unknown) => (spec: Spec) => void edit(spec)

describe('a field of config.json that cannot be honoured is named', () => {
  it.each<[RegExp, (spec: Spec) => void]>([
    [/process\.args/, change((spec) => Object.assign(spec.process, { args: [] }))],
    [/process\.args/, change((spec) => Object.assign(spec.process, { args: 'sh' }))],
    [/process\.args\[1\]/, change((spec) => Object.assign(spec.process, { args: ['true', 7] }))],
    [/process\.env\[0\]/, change((spec) => Object.assign(spec.process, { env: [1] }))],
    [/process\.env\[0\]/, change((spec) => Object.assign(spec.process, { env: ['A\0B=1'] }))],
    [/process\.cwd/, change((spec) => Object.assign(spec.process, { cwd: '' }))],
    [/process\.cwd/, change((spec) => Object.assign(spec.process, { cwd: 'tmp' }))],
    [/process\.user\.uid/, change((spec) => Object.assign(spec.process.user, { uid: 'root' }))],
    [/process\.user\.uid/, change((spec) => Object.assign(spec.process.user, { uid: -1 }))],
    [/process\.user\.gid/, change((spec) => Object.assign(spec.process.user, { gid: 2 ** 32 }))],
    [/process\.user\.umask/, change((spec) => Object.assign(spec.process.user, { umask: 0o1000 }))],
    [
      /process\.user\.additionalGids\[0\]/,
      change((spec) => Object.assign(spec.process.user, { additionalGids: [1.5] })),
    ],
    [
      /process\.rlimits\[0\]\.type/,
      change((spec) => Object.assign(spec.process, { rlimits: [{ type: 'RLIMIT_NOSUCH', soft: 1, hard: 1 }] })),
    ],
    [
      /process\.rlimits\[0\]/,
      change((spec) => Object.assign(spec.process, { rlimits: [{ type: 'RLIMIT_CPU', soft: 9, hard: 1 }] })),
    ],
    [
      /linux\.cgroupsPath: "a\.slice:b:c" is slice:prefix:name, .*give --systemd-cgroup, or a path$/m,
      change((spec) => Object.assign(spec.linux, { cgroupsPath: 'a.slice:b:c' })),
    ],
    [
      /linux\.resources\.cpu\.cpus: .* has the CPUs [\d,-]+: name some of these$/m,
      change((spec) => Object.assign(spec.linux.resources, { cpu: { cpus: '4000' } })),
    ],
    [
      /linux\.resources\.unified\["pids\.max"\]: must be what the file is to hold, got ""$/m,
      change((spec) => Object.assign(spec.linux.resources, { unified: { 'pids.max': '' } })),
    ],
    [/root\.path/, change((spec) => Object.assign(spec.root, { path: 'no-such-rootfs' }))],
    [/root\.path/, change((spec) => Object.assign(spec.root, { path: 'config.json' }))],
    [/root/, change((spec) => Object.assign(spec, { root: 'rootfs' }))],
    [/ociVersion/, change((spec) => Object.assign(spec, { ociVersion: '2.0.0' }))],
    [/ociVersion/, change((spec) => Object.assign(spec, { ociVersion: 'latest' }))],
    [/ociVersion/, change((spec) => Object.assign(spec, { ociVersion: undefined }))],
    [/hostname/, change((spec) => Object.assign(spec, { hostname: 'x'.repeat(65) }))],
    [/mounts/, change((spec) => Object.assign(spec, { mounts: {} }))],
    [/mounts\[7\]\.destination/, change((spec) => spec.mounts.push({ destination: '' }))],
    [
      /mounts\[7\]\.source/,
      change((spec) => spec.mounts.push({ destination: '/mnt', source: '/no/such/source', options: ['bind'] })),
    ],
    [
      /mounts\[7\]\.options/,
      change((spec) =>
        spec.mounts.push({ destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: [3 as never] }),
      ),
    ],
    [/linux\.namespaces\[\d\]/, change((spec) => spec.linux.namespaces.push({ type: 'nosuch' }))],
    [/linux\.namespaces\[\d\]/, change((spec) => spec.linux.namespaces.push({ type: 'pid' }))],
    [/linux\.namespaces\[\d\]\.path/, change((spec) => setNamespace(spec, 'cgroup', '/no/such/ns'))],
    [/linux\.sysctl/, change((spec) => Object.assign(spec.linux, { sysctl: { 'kernel.core_pattern': '|/bin/sh' } }))],
    [/linux\.maskedPaths\[0\]/, change((spec) => Object.assign(spec.linux, { maskedPaths: ['relative'] }))],
    [/linux\.seccomp/, change((spec) => Object.assign(spec.linux, { seccomp: { defaultAction: 'SCMP_ACT_NOSUCH' } }))],
    [/linux\.rootfsPropagation/, change((spec) => Object.assign(spec.linux, { rootfsPropagation: 'everywhere' }))],
    [/linux\.devices\[0\]/, change((spec) => Object.assign(spec.linux, { devices: [{ path: '/dev/x', type: 'z' }] }))],
  ])('%s', async (field, edit) => {
    expectOneSentence(await t.attemptCreate(await t.bundle({ spec: edit })), field)
    t.expectNothingLeft()
  })
})

describe('a sysctl that the kernel refuses is named by its field', () => {
  it.each([
    [
      'net.ipv4.no_such_parameter',
      '1',
      /^open linux\.sysctl\["net\.ipv4\.no_such_parameter"\]: no such file or directory: /,
    ],
    ['net.ipv4.ip_forward.below', '1', /^open linux\.sysctl\["net\.ipv4\.ip_forward\.below"\]: not a directory: /],
    ['net.ipv4', '1', /^open linux\.sysctl\["net\.ipv4"\]: .*is a directory/],
    [
      'net.ipv4.ip_unprivileged_port_start',
      'many',
      /^set linux\.sysctl\["net\.ipv4\.ip_unprivileged_port_start"\]: .*invalid argument/,
    ],
  ])('%s = %s', async (key, value, sentence) => {
    const bundle = await t.bundle({ spec: (spec) => Object.assign(spec.linux, { sysctl: { [key]: value } }) })
    expectOneSentence(await t.attemptCreate(bundle), sentence)
    t.expectNothingLeft()
  })
})
