import { defaultSpec } from '@crio-lxc/core/oci/default-spec'
import { parseProcess, parseResources, parseSpec } from '@crio-lxc/core/oci/parse-spec'
import { describe, expect, test } from 'vitest'
import { type Changes, specWith, thrownBy } from './spec-with.ts'

const parse = (changes: Changes) => parseSpec(JSON.stringify(specWith(changes)))

/** The default namespaces but one. */
const without = (type: string) => defaultSpec.linux?.namespaces?.filter((namespace) => namespace.type !== type)

/** [what is refused, what is different from the default spec, the whole message] */
const refused: [string, Changes, string][] = [
  // types, from the generated validator
  ['a number as process.args', { 'process.args': 5 }, 'process.args: must be an array of strings, got number'],
  ['a number in process.args', { 'process.args': ['sh', 5] }, 'process.args[1]: must be a string, got number'],
  ['a null in process.env', { 'process.env': [null] }, 'process.env[0]: must be a string, got null'],
  ['an array as linux', { linux: [] }, 'linux: must be an object, got array'],
  ['a string as root.readonly', { 'root.readonly': 'yes' }, 'root.readonly: must be a boolean, got string'],
  ['a negative uid', { 'process.user.uid': -1 }, 'process.user.uid: must be an integer from 0 to 4294967294, got -1'],
  [
    'a gid of 2^32',
    { 'process.user.gid': 2 ** 32 },
    'process.user.gid: must be an integer from 0 to 4294967294, got 4294967296',
  ],
  [
    'a fractional uid',
    { 'process.user.uid': 0.5 },
    'process.user.uid: must be an integer from 0 to 4294967294, got 0.5',
  ],
  [
    'a umask above 0777',
    { 'process.user.umask': 512 },
    'process.user.umask: must be an integer from 0 to 511, got 512',
  ],
  [
    'a string as an additional gid',
    { 'process.user.additionalGids': [5, 'x'] },
    'process.user.additionalGids[1]: must be an integer from 0 to 4294967294, got string',
  ],
  [
    'an oomScoreAdj above 1000',
    { 'process.oomScoreAdj': 1001 },
    'process.oomScoreAdj: must be an integer from -1000 to 1000, got 1001',
  ],
  [
    'an unknown namespace type',
    { 'linux.namespaces[0].type': 'foo' },
    'linux.namespaces[0].type: must be one of "pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time", got "foo"',
  ],
  [
    'an unknown device type',
    { 'linux.devices': [{ path: '/dev/x', type: 'd', major: 1, minor: 3 }] },
    'linux.devices[0].type: must be one of "c", "b", "u", "p", got "d"',
  ],
  [
    'a minor number that the kernel would cut',
    { 'linux.devices': [{ path: '/dev/x', type: 'c', major: 1, minor: 1 << 20 }] },
    'linux.devices[0].minor: must be an integer from 0 to 1048575, got 1048576',
  ],
  [
    'a number as an annotation',
    { annotations: { 'a.b/c~d': 5 } },
    'annotations["a.b/c~d"]: must be a string, got number',
  ],
  [
    'an unknown seccomp action',
    { 'linux.seccomp': { defaultAction: 'SCMP_ACT_NONE' } },
    'linux.seccomp.defaultAction: must be one of "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP", "SCMP_ACT_ERRNO", "SCMP_ACT_TRACE", "SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY", got "SCMP_ACT_NONE"',
  ],
  [
    'a rlimit of 1.5',
    { 'process.rlimits[0].hard': 1.5 },
    'process.rlimits[0].hard: must be an integer from 0 to 2^64-1, got 1.5',
  ],
  [
    'a negative rlimit',
    { 'process.rlimits[0].soft': -1 },
    'process.rlimits[0].soft: must be an integer from 0 to 2^64-1, got -1',
  ],
  [
    'a string as the memory limit',
    { 'linux.resources.memory': { limit: '1G' } },
    'linux.resources.memory.limit: must be an integer from -2^63 to 2^63-1, got string',
  ],
  ['a hook without a path', { hooks: { poststop: [{ args: ['x'] }] } }, 'hooks.poststop[0].path: required'],
  // what is required
  [
    'a missing ociVersion',
    { ociVersion: undefined },
    'ociVersion: required: the version of the OCI runtime-spec, for instance "1.3.0"',
  ],
  ['a missing root', { root: undefined }, 'root: required: an object with the path of the root filesystem'],
  ['a null root', { root: null }, 'root: required: an object with the path of the root filesystem'],
  ['a missing root.path', { 'root.path': undefined }, 'root.path: required'],
  ['a missing process', { process: undefined }, 'process: required: an object with what to run in the container'],
  [
    'a missing process.cwd',
    { 'process.cwd': undefined },
    'process.cwd: required: the absolute path of the working directory',
  ],
  [
    'a missing process.args',
    { 'process.args': undefined },
    'process.args: required: an array with the executable and its arguments',
  ],
  ['a string as process.user', { 'process.user': 'root' }, 'process.user: must be an object, got string'],
  // ociVersion
  [
    'ociVersion 2.0.0',
    { ociVersion: '2.0.0' },
    'ociVersion: unsupported ociVersion 2.0.0: this runtime implements 1.x',
  ],
  [
    'ociVersion 0.5.0-dev',
    { ociVersion: '0.5.0-dev' },
    'ociVersion: unsupported ociVersion 0.5.0-dev: this runtime implements 1.x',
  ],
  ['ociVersion 1.0', { ociVersion: '1.0' }, 'ociVersion: must be a semantic version like "1.3.0", got "1.0"'],
  ['an empty ociVersion', { ociVersion: '' }, 'ociVersion: must be a semantic version like "1.3.0", got ""'],
  // root, mounts, process
  ['an empty root.path', { 'root.path': '' }, 'root.path: must not be empty'],
  ['a root.path of 4096 bytes', { 'root.path': 'é'.repeat(2048) }, 'root.path: must be at most 4095 bytes, got 4096'],
  ['an empty mount destination', { 'mounts[0].destination': '' }, 'mounts[0].destination: must not be empty'],
  [
    'mount options that mount(2) would cut off',
    { 'mounts[0].options': ['x'.repeat(2048), 'y'.repeat(2048)] },
    'mounts[0].options: must be at most 4095 bytes, got 4097',
  ],
  [
    'ten thousand and one mounts',
    { mounts: Array.from({ length: 10_001 }, () => ({ destination: '/x' })) },
    'mounts: must have at most 10000 items, got 10001',
  ],
  ['empty process.args', { 'process.args': [] }, 'process.args: must name the executable, got an empty array'],
  [
    'an empty process.args[0]',
    { 'process.args': ['', 'x'] },
    'process.args[0]: must name the executable, got an empty string: executable file not found in $PATH',
  ],
  ['a relative process.cwd', { 'process.cwd': 'tmp' }, 'process.cwd: must be an absolute path, got "tmp"'],
  ['an empty process.cwd', { 'process.cwd': '' }, 'process.cwd: must not be empty'],
  ['a variable without "="', { 'process.env[2]': 'NOEQ' }, 'process.env[2]: must be NAME=value, got "NOEQ"'],
  [
    'an argument that execve(2) does not take',
    { 'process.args[0]': 'x'.repeat(131_072) },
    'process.args[0]: must be at most 131071 bytes, got 131072',
  ],
  [
    'a PATH that execve(2) does not take',
    { 'process.env[1]': `PATH=${':'.repeat(1_000_000)}` },
    'process.env[1]: must be at most 131071 bytes, got 1000005',
  ],
  ['a variable without a name', { 'process.env': ['=x'] }, 'process.env[0]: must be NAME=value, got an empty name'],
  [
    'more groups than setgroups(2) takes',
    { 'process.user.additionalGids': Array.from({ length: 65_537 }, (_, gid) => gid) },
    'process.user.additionalGids: must have at most 65536 items, got 65537',
  ],
  [
    'an unknown rlimit type',
    { 'process.rlimits': [{ type: 'NOFILE', soft: 1, hard: 1 }] },
    'process.rlimits[0].type: must be one of "RLIMIT_AS", "RLIMIT_CORE", "RLIMIT_CPU", "RLIMIT_DATA", "RLIMIT_FSIZE", "RLIMIT_LOCKS", "RLIMIT_MEMLOCK", "RLIMIT_MSGQUEUE", "RLIMIT_NICE", "RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_RSS", "RLIMIT_RTPRIO", "RLIMIT_RTTIME", "RLIMIT_SIGPENDING", "RLIMIT_STACK", got "NOFILE"',
  ],
  [
    'the id that is nobody',
    { 'process.user.gid': 4294967295 },
    'process.user.gid: must be an integer from 0 to 4294967294, got 4294967295',
  ],
  [
    'an option with the id that is nobody',
    { 'mounts[1].options': ['mode=755', 'uid=037777777777'] },
    'mounts[1].options: "uid=037777777777" is nobody\'s id: an id is from 0 to 4294967294',
  ],
  [
    'a soft limit above the hard one',
    { 'process.rlimits[0].soft': 1025 },
    'process.rlimits[0].soft: must not be above hard (1025 > 1024)',
  ],
  ['a hostname of 65 bytes', { hostname: 'x'.repeat(65) }, 'hostname: must be at most 64 bytes, got 65'],
  ['a domainname of 65 bytes', { domainname: `${'é'.repeat(32)}x` }, 'domainname: must be at most 64 bytes, got 65'],
  [
    'a hostname without a uts namespace',
    { 'linux.namespaces': without('uts') },
    "hostname: needs a uts namespace in linux.namespaces: without it the host's would change",
  ],
  ['an empty annotation key', { annotations: { '': 'x' } }, 'annotations: a key must not be empty'],
  // linux
  ...['a"', 'a\\', 'a\t'].map((label): [string, Changes, string] => [
    `a mount label ${JSON.stringify(label)}`,
    { 'linux.mountLabel': label },
    `linux.mountLabel: must have no quotes, backslashes and control characters, got ${JSON.stringify(label)}`,
  ]),
  [
    'a namespace listed twice',
    { 'linux.namespaces[5]': { type: 'pid', path: '/proc/1/ns/pid' } },
    'linux.namespaces[5]: the pid namespace is listed twice',
  ],
  [
    'a relative namespace path',
    { 'linux.namespaces[0].path': 'ns/pid' },
    'linux.namespaces[0].path: must be an absolute path, got "ns/pid"',
  ],
  [
    'a relative device path',
    { 'linux.devices': [{ path: 'dev/x', type: 'c', major: 1, minor: 3 }] },
    'linux.devices[0].path: must be an absolute path, got "dev/x"',
  ],
  [
    'a device without a minor number',
    { 'linux.devices': [{ path: '/dev/x', type: 'c', major: 1 }] },
    'linux.devices[0].minor: required for a device of type c',
  ],
  [
    'two devices at one path',
    {
      'linux.devices': [
        { path: '/dev/x', type: 'c', major: 1, minor: 3 },
        { path: '/dev/x', type: 'b', major: 1, minor: 3 },
      ],
    },
    'linux.devices[1].path: /dev/x is listed twice, as c 1:3 and as b 1:3',
  ],
  [
    'no known kind of device access',
    { 'linux.resources.devices[0].access': 'ax' },
    'linux.resources.devices[0].access: must have "r", "w" or "m", got "ax"',
  ],
  [
    'a relative masked path',
    { 'linux.maskedPaths': ['proc/kcore'] },
    'linux.maskedPaths[0]: must be an absolute path, got "proc/kcore"',
  ],
  ['a relative read-only path', { 'linux.readonlyPaths[5]': '' }, 'linux.readonlyPaths[5]: must not be empty'],
  [
    'masked paths without a mount namespace',
    { 'linux.namespaces': [{ type: 'pid' }, { type: 'uts' }] },
    "linux.maskedPaths: needs a mount namespace in linux.namespaces: without it the host's would change",
  ],
]

describe('parseSpec()', () => {
  test('accepts the default spec and gives it back unchanged', () => {
    expect(parseSpec(JSON.stringify(defaultSpec))).toEqual(defaultSpec)
    expect(parseSpec(new TextEncoder().encode(JSON.stringify(defaultSpec)))).toEqual(defaultSpec)
  })

  test.each(refused)('refuses %s', (_name, changes, message) => {
    expect(thrownBy(() => parse(changes))).toMatchObject({
      name: 'SpecError',
      code: 'invalid-spec',
      pointer: message.slice(0, message.indexOf(': ')),
      message,
    })
  })

  test('ignores unknown fields, whatever they hold', () => {
    const spec = parse({ future: { deep: ['\0\n'] }, 'process.future': -1, 'linux.resources.future': 'x\n' })
    expect(spec).toHaveProperty('future.deep', ['\0\n'])
  })

  test('never looks into the objects of other platforms', () => {
    const attempt = () => parse({ windows: { layerFolders: ['\0'] }, vm: { kernel: { path: 5 } } })
    expect(attempt).not.toThrow()
  })

  test('leaves out fields that are null', () => {
    const spec = parse({ hooks: null, 'process.capabilities': null, 'linux.seccomp': null, 'mounts[0].options': null })
    expect(Object.hasOwn(spec, 'hooks')).toBe(false)
    expect(Object.hasOwn(spec.process, 'capabilities')).toBe(false)
    expect(spec.mounts?.[0]).toEqual({ destination: '/proc', type: 'proc', source: 'proc' })
  })

  test.each(['1.0.0', '1.0.2-dev', '1.3.0', '1.99.0+build.7'])('accepts ociVersion %s', (version) => {
    const spec = parse({ ociVersion: version })
    expect(spec.ociVersion).toBe(version)
  })

  test('accepts what runc accepts: a relative mount destination, the same device twice, spaces in a variable', () => {
    const attempt = () =>
      parse({
        'mounts[0].destination': 'proc',
        'linux.devices': [
          { path: '/dev/fuse', type: 'c', major: 10, minor: 229 },
          { path: '/dev/fuse', type: 'u', major: 10, minor: 229 },
        ],
        'process.env': ['A B=1', 'C==', 'D='],
        'linux.rootfsPropagation': 'rslave',
      })
    expect(attempt).not.toThrow()
  })
})

describe('parseProcess()', () => {
  test('names its fields as config.json would', () => {
    const text = JSON.stringify({ ...defaultSpec.process, cwd: 'x' })
    expect(thrownBy(() => parseProcess(text))).toMatchObject({
      message: 'process.cwd: must be an absolute path, got "x"',
    })
    expect(thrownBy(() => parseProcess('{"args":["sh"]}'))).toMatchObject({ pointer: 'process.cwd' })
    expect(thrownBy(() => parseProcess('{'))).toMatchObject({ pointer: 'process.json' })
  })

  test('accepts the process of the default spec', () => {
    expect(parseProcess(JSON.stringify(defaultSpec.process))).toEqual(defaultSpec.process)
  })
})

describe('parseResources()', () => {
  test('keeps the limits of a whole document', () => {
    const text = '{"memory":{"limit":9223372036854775807,"swap":-1},"pids":{"limit":5},"cpu":{"quota":-1}}'
    expect(parseResources(text)).toEqual({
      memory: { limit: 2n ** 63n - 1n, swap: -1 },
      pids: { limit: 5 },
      cpu: { quota: -1 },
    })
  })

  test('names its fields as config.json would', () => {
    expect(thrownBy(() => parseResources('{"pids":{"limit":"5"}}'))).toMatchObject({
      message: 'linux.resources.pids.limit: must be an integer from -2^63 to 2^63-1, got string',
    })
  })
})
