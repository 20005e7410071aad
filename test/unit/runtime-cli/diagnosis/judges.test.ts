import { describe, expect, test } from 'vitest'
import { judgeCaller, runtimesIn } from '../../../../packages/runtime-cli/src/diagnosis/callers.ts'
import {
  judgeControllers,
  judgeManager,
  judgeReadOnly,
} from '../../../../packages/runtime-cli/src/diagnosis/cgroups.ts'
import { findingsText } from '../../../../packages/runtime-cli/src/diagnosis/findings-text.ts'
import { judgeSubordinate, judgeUserNamespaces } from '../../../../packages/runtime-cli/src/diagnosis/id-maps.ts'
import { parseSums } from '../../../../packages/runtime-cli/src/diagnosis/installed.ts'
import { judgeKernel, judgeNamespaces, judgeSeccomp } from '../../../../packages/runtime-cli/src/diagnosis/kernel.ts'
import { judgeFiles, judgePids } from '../../../../packages/runtime-cli/src/diagnosis/limits.ts'
import { judgeLibexec, judgeState } from '../../../../packages/runtime-cli/src/diagnosis/mounts.ts'
import { judgeCapabilities } from '../../../../packages/runtime-cli/src/diagnosis/privileges.ts'

const limits = (soft: string) =>
  `Limit  Soft Limit  Hard Limit  Units\nMax open files            ${soft}  524288  files\n`
const layout = (mode: 'v1' | 'v2', controllers: readonly string[]) => ({
  mode,
  hierarchies: [{ name: '', mountPoint: '/sys/fs/cgroup', version: mode === 'v2' ? 2 : 1, controllers }] as const,
})
const mount = (type: string, options: string) => ({ point: '/run', type, options: options.split(',') })
const all = ['memory', 'cpu', 'cpuset', 'pids', 'io']
const full = [{ cgroup: '/a', current: 95, max: 100 }]

describe('verdicts', () => {
  test.each([
    ['Linux 5.12', judgeKernel('5.12.0', []), 'ok'],
    ['Linux 6.1', judgeKernel('6.1.0-18-amd64', []), 'ok'],
    ['Linux 5.10', judgeKernel('5.10.0-28-amd64', []), 'problem'],
    ['Linux 4.19', judgeKernel('4.19.0', []), 'problem'],
    ['a call that a filter hides', judgeKernel('6.1.0', ['openat2']), 'problem'],
    ['every capability', judgeCapabilities(0b111n, 0b111n), 'ok'],
    ['no CAP_SYS_ADMIN', judgeCapabilities(0n, 1n << 21n), 'problem'],
    ['no CAP_CHOWN', judgeCapabilities(0b110n, 0b111n), 'warning'],
    ['capabilities that have no name yet', judgeCapabilities(1n, 1n | (1n << 60n)), 'ok'],
    ['read-only cgroups', judgeReadOnly(['/sys/fs/cgroup'])[0], 'problem'],
    ['no pid namespaces', judgeNamespaces((name) => name !== 'pid')[0], 'problem'],
    ['no time namespaces', judgeNamespaces((name) => name !== 'time')[0], 'warning'],
    ['no seccomp', judgeSeccomp('', 0), 'problem'],
    ['no user_notif', judgeSeccomp('kill_process errno trace log allow', 2), 'warning'],
    ['user namespaces forbidden', judgeUserNamespaces('0', '0 0 4294967295')[0], 'warning'],
    ['inside a user namespace', judgeUserNamespaces('100', '0  100000   65536')[0], 'problem'],
    ['the initial user namespace', judgeUserNamespaces('100', '0          0 4294967295')[0], 'ok'],
    [
      'no ids',
      judgeSubordinate([
        ['u', undefined],
        ['g', 'user:1:2'],
      ]),
      'ok',
    ],
    [
      'fewer gids',
      judgeSubordinate([
        ['u', 'containers:1:9\n'],
        ['g', 'containers:1:8\n'],
      ]),
      'warning',
    ],
    [
      'a broken line',
      judgeSubordinate([
        ['u', 'containers:1:x\n'],
        ['g', ''],
      ]),
      'problem',
    ],
    ['a manager that is not there', judgeManager('v2', { systemd: false, systemdCgroup: true }), 'problem'],
    ['every controller', judgeControllers(layout('v2', all)), 'ok'],
    ['no memory controller', judgeControllers(layout('v2', ['cpu', 'cpuset', 'pids', 'io'])), 'warning'],
    [
      'v1 without a freezer',
      judgeControllers(layout('v1', ['memory', 'cpu', 'cpuset', 'pids', 'blkio', 'devices'])),
      'warning',
    ],
    ['few files', judgeFiles(limits('256'), '100 0 1000'), 'warning'],
    ['files without a limit', judgeFiles(limits('unlimited'), '100 0 1000'), 'ok'],
    ['nearly all files of the host', judgeFiles(limits('1024'), '950 0 1000'), 'warning'],
    ['few pids', judgePids('4096', '0 0 0 1/100 7', []), 'warning'],
    ['nearly all pids', judgePids('32768', '0 0 0 1/32000 7', []), 'warning'],
    ['a full cgroup', judgePids('32768', '0 0 0 1/100 7', full), 'warning'],
    ['room', judgePids('32768', '0 0 0 1/100 7', [{ cgroup: '/a', current: 9, max: 100 }]), 'ok'],
    ['a tmpfs', judgeState('/run/x', mount('tmpfs', 'rw,nosuid,noexec'))[0], 'ok'],
    ['a disk', judgeState('/run/x', mount('ext4', 'rw'))[0], 'warning'],
    ['a read-only state', judgeState('/run/x', mount('tmpfs', 'ro'))[0], 'problem'],
    ['noexec', judgeLibexec('/x', mount('ext4', 'rw,noexec'))[0], 'problem'],
    ['nosuid', judgeLibexec('/x', mount('ext4', 'rw,nosuid'))[0], 'warning'],
  ])('%s', (_, finding, verdict) => {
    expect(finding?.verdict).toBe(verdict)
    expect(finding?.advice === undefined).toBe(verdict === 'ok')
  })
})

describe('judgeCaller()', () => {
  const standard = /^default_runtime = "(.*)"/m
  const texts = [{ path: '/etc/x', text: 'path = "/usr/bin/crio-lxc"\n' }]
  test('a configuration without its engine is no problem, whatever it names', () => {
    expect(judgeCaller({ name: 'X', standard }, { version: undefined, texts, whatIs: () => 'missing' })).toEqual([
      { name: 'X', verdict: 'ok', found: 'not found; /etc/x names /usr/bin/crio-lxc, which is no program' },
    ])
  })

  test('the last file says which runtime is the default', () => {
    const more = [...texts, { path: '/etc/y', text: 'default_runtime = "crio-lxc"\n' }]
    const [finding] = judgeCaller({ name: 'X', standard }, { version: '1.0', texts: more, whatIs: () => 'this' })
    expect(finding?.found).toBe('1.0; /etc/x names this program, the default')
    const last = [...more, { path: '/etc/z', text: '# default_runtime = "crio-lxc"\ndefault_runtime = "runc"\n' }]
    const [other] = judgeCaller({ name: 'X', standard }, { version: '1.0', texts: last, whatIs: () => 'this' })
    expect(other?.found).toBe('1.0; /etc/x names this program')
  })
})

test('runtimesIn() finds paths in TOML and JSON, and none in a comment', () => {
  const toml = `# "/a/crio-lxc"\nruntime_path = "/b/crio-lxc"\n  crio-lxc = ['/c/crio-lxc', "/usr/bin/runc"]\nx = "crio-lxc"\n`
  expect(runtimesIn(toml)).toEqual(['/b/crio-lxc', '/c/crio-lxc'])
  expect(runtimesIn('{"runtimes":{"lxc":{"path":"/d/crio-lxc"}}}')).toEqual(['/d/crio-lxc'])
})

test.each([
  ["CRI-O's, as the package has it", 'runtime_path = "/usr/bin/crio-lxc"\nruntime_root = "/run/crio-lxc"\n'],
  ['one on a disk', "runtime_path = '/usr/bin/crio-lxc'\n  runtime_root = '/data/crio-lxc'\n"],
  ["containerd's", 'BinaryName = "/usr/bin/crio-lxc"\nRoot = "/data/crio-lxc"\n'],
  ["Docker's", '{"runtimes":{"l":{"path":"/usr/bin/crio-lxc","runtimeArgs":["--root", "/run/crio-lxc"]}}}'],
])('runtimesIn() takes no directory of states for a program: %s', (_, text) => {
  expect(runtimesIn(text)).toEqual(['/usr/bin/crio-lxc'])
})

test('parseSums() reads lines of sha256sum', () => {
  const sum = '0'.repeat(64)
  expect(parseSums(`${sum}  /a b\n${sum} *c\nnonsense\n`)).toEqual([
    { sum, name: '/a b' },
    { sum, name: 'c' },
  ])
})

test('findingsText() counts, and shows no control character but its own', () => {
  const findings = [
    { name: 'a', verdict: 'ok', found: '1' },
    { name: 'long name', verdict: 'problem', found: 'x\x1b[2J\ny', advice: 'mend it' },
  ] as const
  expect(findingsText(findings, false)).toBe(
    [
      'ok       a          1',
      'problem  long name  x\\u001b[2J y',
      '                    -> mend it',
      '1 problem, no warnings',
      '',
    ].join('\n'),
  )
  expect(findingsText(findings, true).startsWith('\x1b[32mok       \x1b[0ma ')).toBe(true)
})
