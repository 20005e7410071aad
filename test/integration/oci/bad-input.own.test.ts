import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Bundle } from '../../support/bundle.ts'
import { useContainers } from '../../support/containers.ts'
import { inRuntimeRoot } from '../../support/leftovers.ts'
import { requires } from '../../support/requires.ts'
import { type InvokeOptions, invoke, type Result, runtimePath } from '../../support/runtime.ts'
import { type Spec, setNamespace } from '../../support/spec.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()

/** One sentence on stderr, nothing on stdout, the documented code. */
function expectOneSentence(result: Result, text: RegExp, exitCode = 1): void {
  expect(result).toMatchObject({ exitCode, stdout: '', timedOut: false })
  expect(result.stderr).toMatch(/^[^\n]+\n$/)
  expect(result.stderr).toMatch(text)
  expect(result.stderr).not.toMatch(/internal error|\[object|undefined|^\s+at /)
}

async function create(bundle: Bundle, options: InvokeOptions & { flags?: string[] } = {}): Promise<Result> {
  return t.runtime([...(options.flags ?? []), 'create', '--bundle', bundle.path, t.id()], options)
}

const change = (edit: (spec: Spec) => unknown) => (spec: Spec) => void edit(spec)

describe('a document that would cost minutes is refused before anything exists', () => {
  const deep = (name: string): string => `/${name}${'/a'.repeat(1999)}`

  it.each<[string, RegExp, (spec: Spec) => void]>([
    [
      '50 mounts of 2000 directories',
      /mounts\[\d+\]\.destination: has 2001 directories in one another/,
      ({ mounts }) => {
        for (let index = 0; index < 50; index++)
          mounts.push({ destination: deep(`m${index}`), type: 'tmpfs', source: 'tmpfs' })
      },
    ],
    [
      '50 devices below 2000 directories',
      /linux\.devices\[\d+\]\.path: has 2001 directories in one another/,
      ({ linux }) => {
        linux.devices = Array.from({ length: 50 }, (_, index) => ({
          path: deep(`d${index}`),
          type: 'c' as const,
          major: 1,
          minor: 3,
        }))
      },
    ],
    [
      'process.cwd, and a mount',
      /mounts\[0\]\.destination: has \d+ directories/,
      (spec) => {
        spec.process.cwd = deep('w')
        spec.mounts.unshift({ destination: deep('m'), type: 'tmpfs', source: 'tmpfs' })
      },
    ],
    [
      '9000 device rules',
      /linux\.resources\.devices: must have at most 2000 items, got 9000/,
      ({ linux }) => {
        const devices = Array.from({ length: 9000 }, (_, minor) => ({
          allow: minor % 2 === 0,
          type: 'c' as const,
          major: minor % 500,
          minor,
          access: 'rwm',
        }))
        linux.resources = { ...linux.resources, devices }
      },
    ],
  ])('%s', async (_, text, spec) => {
    const result = await create(await t.bundle({ spec }))
    expectOneSentence(result, text)
    t.expectNothingLeft()
  })

  it('links of the image do not get around it', async () => {
    const bundle = await t.bundle({
      spec: ({ mounts }) => {
        for (let index = 0; index < 50; index++)
          mounts.push({ destination: `/link/${index}`, type: 'tmpfs', source: 'tmpfs' })
      },
    })
    symlinkSync('a/'.repeat(2000), `${bundle.rootfs}/link`)
    expectOneSentence(await create(bundle), /mounts\[\d+\]\.destination: has \d+ directories in one another/)
    t.expectNothingLeft()
  })
})

describe('a config.json that only JavaScript takes for JSON is refused', () => {
  it.each(['\\x41', '\\x0a', '\\u{a}', '\\v', '\\\n', '\\a', '\\0', '\\012'])('%j in a string', async (text) => {
    const bundle = await t.bundle({ spec: (spec) => void Object.assign(spec.process, { cwd: '/ESCAPE' }) })
    bundle.writeConfig(JSON.stringify(bundle.spec).replace('ESCAPE', text))
    expectOneSentence(await create(bundle), /config\.json: not valid JSON at line \d+, column \d+: a string contains /)
  })

  it.each(['1.', '-1.', '1.e5', '-01', '-00', '01', '.5', '+1', '0x1', '1_0', '1n'])(
    'the number %s',
    async (number) => {
      const bundle = await t.bundle({
        spec: (spec) => void Object.assign(spec.linux, { resources: { pids: { limit: 7 } } }),
      })
      bundle.writeConfig(JSON.stringify(bundle.spec).replace('"limit":7', `"limit":${number}`))
      expectOneSentence(await create(bundle), /config\.json: not valid JSON at line \d+, column \d+: /)
    },
  )

  it('what looks like such a number in a string is no reason', async () => {
    const annotations = { dates: '1. 1.e5 -01 2026-01-02', other: '.5 01' }
    const bundle = await t.bundle({ args: ['true'], spec: (spec) => void Object.assign(spec, { annotations }) })
    const { id } = await t.create(bundle)
    expect(await t.state(id)).toMatchObject({ annotations })
  })
})

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
    expectOneSentence(await create(await t.bundle({ spec: edit })), field)
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
    expectOneSentence(await create(bundle), sentence)
    t.expectNothingLeft()
  })
})

describe('config.json as a file', () => {
  it.each<[string, RegExp, (file: string) => void]>([
    ['cut off', /config\.json.*line 1/, (file) => writeFileSync(file, '{"process": {')],
    ['with a comma too many', /config\.json.*line 3/, (file) => writeFileSync(file, '{\n"a": 1,\n}')],
    ['empty', /config\.json/, (file) => writeFileSync(file, '')],
    ['an array', /config\.json/, (file) => writeFileSync(file, '[]')],
    ['null', /config\.json/, (file) => writeFileSync(file, 'null')],
    ['of 64 MB', /config\.json.*(large|big|bytes|MB|MiB)/i, (file) => truncateSync(file, 64 << 20)],
    ['nested 100 000 deep', /config\.json/, (file) => writeFileSync(file, '['.repeat(100_000))],
    ['not UTF-8', /config\.json/, (file) => writeFileSync(file, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]))],
  ])('%s', async (_, text, spoil) => {
    const bundle = await t.bundle()
    spoil(join(bundle.path, 'config.json'))
    expectOneSentence(await create(bundle), text)
    t.expectNothingLeft()
  })

  it('missing: the path and the reason', async () => {
    const directory = t.hostDirectory()
    const result = await t.runtime(['create', '--bundle', directory, t.id()])
    const reason = 'no such file or directory: make one with `crio-lxc spec`, or give the right --bundle'
    expect(result).toMatchObject({ exitCode: 1, stderr: `read ${directory}/config.json: ${reason}\n` })
  })

  it('of a bundle without the image: its path, the reason, and where it belongs', async () => {
    const bundle = await t.bundle()
    rmSync(bundle.rootfs, { recursive: true })
    const reason = 'no such file or directory: unpack the image there; a relative path begins at the bundle'
    expect((await create(bundle)).stderr).toBe(`root.path: open ${bundle.rootfs}: ${reason}\n`)
    t.expectNothingLeft()
  })

  it('a fifo does not hang create', async () => {
    const directory = t.hostDirectory()
    execFileSync('mkfifo', [join(directory, 'config.json')])
    expectOneSentence(await t.runtime(['create', '--bundle', directory, t.id()], { timeoutMs: 5000 }), /config\.json/)
  })
})

/** Every string of a spec with its path; of the elements of a list the first one alone. */
function strings(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value === 'string') return [path]
  if (Array.isArray(value)) return value.slice(0, 1).flatMap((item) => strings(item, [...path, 0]))
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([key, item]) => strings(item, [...path, key]))
  }
  return []
}

function replaced(spec: Spec, path: readonly (string | number)[], edit: (old: string) => string): Spec {
  const copy = structuredClone(spec)
  const holder = path.slice(0, -1).reduce<never>((value, key) => value[key as never], copy as never) as Record<
    string,
    string
  >
  const key = path.at(-1) as string
  holder[key] = edit(holder[key] ?? '')
  return copy
}

/** A spec with a string in most places. */
function wordySpec(spec: Spec): void {
  const source = t.hostDirectory('source-')
  spec.annotations = { 'org.example.key': 'value' }
  spec.mounts.unshift({ destination: '/tmp', type: 'bind', source, options: ['rbind', 'ro'] })
  spec.linux.cgroupsPath = `/${t.id()}`
  spec.linux.sysctl = { 'net.ipv4.ip_unprivileged_port_start': '1' }
  spec.linux.devices = [{ path: '/dev/made', type: 'c', major: 1, minor: 3, fileMode: 0o666, uid: 0, gid: 0 }]
  spec.linux.rootfsPropagation = 'private'
  spec.linux.seccomp = {
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: ['SCMP_ARCH_X86_64'],
    syscalls: [{ names: ['acct'], action: 'SCMP_ACT_ERRNO' }],
  }
}

describe('control characters in any string of config.json', () => {
  it('a newline and a directive of liblxc never become a directive', async () => {
    const canary = join(t.hostDirectory(), 'canary')
    const bundle = await t.bundle({ spec: wordySpec })
    const { spec } = bundle
    expect(strings(spec).length).toBeGreaterThan(25)
    for (const path of strings(spec)) {
      bundle.writeConfig(replaced(spec, path, (old) => `${old}\nlxc.hook.pre-start = /usr/bin/touch ${canary}\n`))
      const result = await create(bundle)
      expect(existsSync(canary), path.join('.')).toBe(false)
      expect(result.timedOut, path.join('.')).toBe(false)
      if (result.exitCode !== 0) expectOneSentence(result, /./)
      await t.cleanUp()
    }
  })

  it('NUL is refused everywhere, and the field is named', async () => {
    const bundle = await t.bundle({ spec: wordySpec })
    const unnamed: string[] = []
    for (const path of strings(bundle.spec)) {
      bundle.writeConfig(replaced(bundle.spec, path, (old) => `${old}\0x`))
      const result = await create(bundle)
      const field = String(path.findLast((key) => typeof key === 'string'))
      if (result.exitCode !== 1 || !result.stderr.includes(field))
        unnamed.push(`${path.join('.')}: ${result.exitCode} ${result.stderr}`)
    }
    expect(unnamed).toEqual([])
    t.expectNothingLeft()
  })
})

describe('ids', () => {
  it.each(['', '.', '..', 'a/b', '../x', 'a\nb', 'a b', 'a'.repeat(2000), 'ä'])(
    '%j: the sentence of runc',
    async (id) => {
      const bundle = await t.bundle()
      expectOneSentence(await t.runtime(['create', '--bundle', bundle.path, '--', id]), /invalid container ID format/)
      for (const command of ['state', 'start', 'kill', 'delete']) {
        expectOneSentence(await t.runtime([command, '--', id]), /invalid container ID format/)
      }
      expect(inRuntimeRoot(t.root)).toEqual([])
    },
  )
})

describe('the wrong state', () => {
  it.each<[string, string[], RegExp, number]>([
    ['created', ['exec', 'ID', 'true'], /^$/, 0],
    ['running', ['start', 'ID'], /cannot start an already running container/, 1],
    ['running', ['delete', 'ID'], /cannot delete container .*not stopped/, 1],
    ['stopped', ['start', 'ID'], /cannot start a container that has stopped/, 1],
    ['stopped', ['kill', 'ID'], /container not running/, 1],
    ['stopped', ['exec', 'ID', 'true'], /cannot exec in a stopped container/, 255],
  ])('%s: %j', async (status, args, text, exitCode) => {
    const container = await { created: () => t.create(), running: () => t.running(), stopped: () => t.stopped() }[
      status as 'created'
    ]()
    const result = await t.runtime(args.map((arg) => (arg === 'ID' ? container.id : arg)))
    if (exitCode === 0) expect(result).toMatchObject({ exitCode: 0, stderr: '' })
    else expectOneSentence(result, text, exitCode)
  })

  it.each(['state', 'start', 'kill', 'delete'])('%s of an id that is not there', async (command) => {
    expectOneSentence(await t.runtime([command, 't-missing']), /container does not exist.*t-missing/)
  })

  it('exec of an id that is not there', async () => {
    expectOneSentence(await t.runtime(['exec', 't-missing', 'true']), /container does not exist.*t-missing/, 255)
  })

  it('create of an id that is there', async () => {
    const { id, bundle } = await t.create()
    expectOneSentence(
      await t.runtime(['create', '--bundle', bundle.path, id]),
      /container with given ID already exists/,
    )
  })
})

describe('a monitor that fails', () => {
  /** A program in the place of crio-lxc-start. */
  function startCommand(script: string): string {
    const path = join(t.hostDirectory(), 'start')
    writeFileSync(path, `#!/bin/sh\n${script}\n`)
    chmodSync(path, 0o755)
    return path
  }

  it('ends at once: create says so and leaves nothing', async () => {
    const bundle = await t.bundle()
    expectOneSentence(await create(bundle, { flags: ['--start-cmd', startCommand('exit 3')] }), /monitor/)
    t.expectNothingLeft()
  })

  it('is killed: create says so and leaves nothing', async () => {
    const bundle = await t.bundle()
    expectOneSentence(await create(bundle, { flags: ['--start-cmd', startCommand('kill -KILL $$')] }), /monitor/)
    t.expectNothingLeft()
  })

  it('never reports: create gives up after --create-timeout and leaves nothing', async () => {
    const bundle = await t.bundle()
    const flags = ['--start-cmd', startCommand('exec sleep 1000'), '--create-timeout', '500ms']
    const result = await create(bundle, { flags })
    expectOneSentence(result, /500 ?ms|timeout|longer/)
    expect(result.durationMs).toBeLessThan(5000)
    t.expectNothingLeft()
  })

  it('does not exist: create names it and leaves nothing', async () => {
    const bundle = await t.bundle()
    expectOneSentence(await create(bundle, { flags: ['--start-cmd', '/no/such/start'] }), /\/no\/such\/start|monitor/)
    t.expectNothingLeft()
  })

  it('liblxc fails: its own last error line is in the message', async () => {
    const bundle = await t.bundle()
    // liblxc itself, silent on stderr: what it says can reach the message only through its log, which create reads.
    const script = 'exec lxc-start -F -n "$1" -P "$2" -f "$3" -s lxc.rootfs.path=dir:/no/such/stage 2>/dev/null'
    expectOneSentence(
      await create(bundle, { flags: ['--start-cmd', startCommand(script)] }),
      /^liblxc could not start the container: lxc_rootfs_init: .*\/no\/such\/stage/,
    )
    t.expectNothingLeft()
  })
})

describe('an interrupted create', () => {
  it.each(['SIGKILL', 'SIGINT', 'SIGTERM'] as const)('%s half way: delete --force cleans up', async (signal) => {
    const bundle = await t.bundle({ args: ['sleep', '1000'] })
    for (const afterMs of [2, 5, 8, 11, 14, 17, 20, 24, 28, 35]) {
      const id = t.id()
      const child = spawn(runtimePath, ['--root', t.root, 'create', '--bundle', bundle.path, id], { stdio: 'ignore' })
      const ended = new Promise((resolve) => child.once('exit', resolve))
      const from = performance.now()
      while (performance.now() - from < afterMs) await new Promise((resolve) => setImmediate(resolve))
      child.kill(signal)
      await ended
      const result = await t.runtime(['delete', '--force', id])
      expect(result, `after ${afterMs} ms: ${result.stderr}`).toMatchObject({ exitCode: 0, timedOut: false })
      // A child that create had spawned but that was in no cgroup yet ends by itself, as its pipes do.
      await waitFor(() => t.leftovers().length === 0, { timeoutMs: 2000 }).catch(() => undefined)
      expect(t.leftovers(), `after ${afterMs} ms`).toEqual([])
    }
  })

  it('the id can be used again', async () => {
    const bundle = await t.bundle()
    const id = t.id()
    const child = spawn(runtimePath, ['--root', t.root, 'create', '--bundle', bundle.path, id], { stdio: 'ignore' })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    const from = performance.now()
    while (performance.now() - from < 12) await new Promise((resolve) => setImmediate(resolve))
    child.kill('SIGKILL')
    await ended
    await t.ok(['delete', '--force', id])
    await t.create(bundle, { id })
  })
})

describe('paths of the caller', () => {
  it('a root that is a file', async () => {
    const bundle = await t.bundle()
    const root = join(t.hostDirectory(), 'file')
    writeFileSync(root, '')
    expectOneSentence(await invoke(['--root', root, 'create', '--bundle', bundle.path, t.id()]), new RegExp(root))
    // Whoever is told that the container does not exist takes it for removed.
    for (const args of [['state'], ['start'], ['kill'], ['delete'], ['delete', '--force'], ['pause'], ['ps']])
      expectOneSentence(
        await invoke(['--root', root, ...args, 'some-id']),
        new RegExp(`^read the runtime root ${root}: not a directory\n$`),
      )
  })

  it('a root below /proc', async () => {
    const bundle = await t.bundle()
    expectOneSentence(
      await invoke(['--root', '/proc/none/root', 'create', '--bundle', bundle.path, t.id()]),
      /\/proc\/none/,
    )
  })

  it('a log that cannot be opened', async () => {
    expectOneSentence(
      await t.runtime(['--log', '/no/such/log', 'state', 'x']),
      /\/no\/such\/log.*no such file or directory/,
    )
  })

  it('a pid file that cannot be written', async () => {
    const bundle = await t.bundle()
    const result = await t.runtime(['create', '--pid-file', '/no/such/pid', '--bundle', bundle.path, t.id()])
    expectOneSentence(result, /\/no\/such\/pid.*no such file or directory/)
    t.expectNothingLeft()
  })

  it('a console socket nobody listens on', async () => {
    const bundle = await t.bundle({ process: { terminal: true } })
    const result = await t.runtime(['create', '--console-socket', '/no/such/socket', '--bundle', bundle.path, t.id()])
    expectOneSentence(result, /\/no\/such\/socket/)
    t.expectNothingLeft()
  })

  it('an explicit root that is missing, for list', async () => {
    const result = await invoke(['--root', '/no/such/root', 'list'])
    expectOneSentence(result, /^read the runtime root \/no\/such\/root: no such file or directory\n$/)
  })

  it('a bundle that is a file', async () => {
    const result = await t.runtime(['create', '--bundle', '/dev/null', t.id()])
    expectOneSentence(result, /^read \/dev\/null\/config\.json: not a directory\n$/)
  })

  it('a limit that nobody may set', async () => {
    const nrOpen = Number(readFileSync('/proc/sys/fs/nr_open', 'utf8'))
    const rlimits = [{ type: 'RLIMIT_NOFILE', soft: nrOpen + 1, hard: nrOpen + 1 }]
    const bundle = await t.bundle({ process: { rlimits } })
    const result = await t.runtime(['run', '--bundle', bundle.path, t.id()])
    expectOneSentence(
      result,
      /RLIMIT_NOFILE of process\.rlimits: .*: operation not permitted: lower it, or give .*; no limit of files exceeds/,
    )
  })
})

describe('usage', () => {
  it.each<[string[], RegExp]>([
    [['frobnicate'], /unknown command.*frobnicate/i],
    [['state'], /container.?id|id/i],
    [['state', 'a', 'b'], /argument|b/],
    [['state', '--frob', 'a'], /--frob/],
    [['--frob', 'list'], /--frob/],
    [['list', '--format', 'xml'], /xml/],
    [['--log-format', 'xml', 'list'], /xml/],
    [['--create-timeout', 'soon', 'list'], /soon/],
    [['kill', 'x', 'NOSUCH'], /does not exist|NOSUCH/],
    [['checkpoint', '--help'], /checkpoint/],
    [['--rootless', 'true', 'list'], /rootless/],
  ])('%j', async (args, text) => {
    const result = await t.runtime(args)
    expect(result.exitCode).toBe(1)
    expect(result.stdout).toBe('')
    expect(result.stderr).toMatch(text)
  })
})

describe('the stack of an error', () => {
  it('is never printed to a user', async () => {
    for (const args of [
      ['create', '--bundle', '/dev/null', t.id()],
      ['exec', '--process', '/dev/null', 'x'],
      ['list', '--format'],
    ]) {
      expect((await t.runtime(args)).stderr).not.toMatch(/^\s+at /m)
    }
  })
})
