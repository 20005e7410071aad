/** An installation or a host that lacks something: one sentence that names it, and nothing is left. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { around } from '../../crash/support/around.ts'
import type { Bundle } from '../../support/bundle.ts'
import { useContainers } from '../../support/containers.ts'
import { productNode } from '../../support/node.ts'
import { requires } from '../../support/requires.ts'
import { runtimePath } from '../../support/runtime.ts'
import type { Spec } from '../../support/spec.ts'

requires('root', 'own-runtime')
const t = useContainers()

/** A copy of the installation where the tests' files are, for links to it. */
let whole: string | undefined
function copyInstallation(): string {
  const directory = mkdtempSync(join(tmpdir(), 'whole-installation-'))
  execFileSync('cp', ['-a', `${dirname(dirname(runtimePath))}/.`, directory])
  return directory
}
afterAll(() => whole && rmSync(whole, { recursive: true }))

/** A copy of the installation, to be broken. */
let prefix: string
let libexec: string
let bundle: Bundle
beforeEach(async () => {
  prefix = join(t.hostDirectory(), 'prefix')
  libexec = join(prefix, 'libexec/crio-lxc')
  whole ??= copyInstallation()
  execFileSync('cp', ['-al', whole, prefix])
  chmodSync(prefix, 0o755)
  bundle = await t.bundle({ args: ['sleep', '1000'] })
})

/** Runs a command of the broken installation, below `through`. */
function run(args: readonly string[], through: readonly string[] = []) {
  const [command = '', ...rest] = [...through, join(prefix, 'bin/crio-lxc'), '--root', t.root, ...args]
  return spawnSync(command, rest, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 30_000 })
}

/** The sentence of a create that fails, by the log; then nothing is left of it. */
function refusal(through: readonly string[] = [], path = bundle.path): string {
  const log = join(t.hostDirectory(), 'log')
  const { status, stderr } = run(['--log', log, '--log-format', 'json', 'create', '--bundle', path, t.id()], through)
  expect(status, stderr).toBe(1)
  const lines = readFileSync(log, 'utf8').trim().split('\n')
  const errors = lines.map((line) => JSON.parse(line)).filter(({ level }) => level === 'error')
  expect(errors).toHaveLength(1)
  expect(stderr.trimEnd().split('\n').at(-1)).toBe(errors[0].msg)
  t.expectNothingLeft()
  return errors[0].msg
}

/** In a mount namespace of its own, after a shell command. */
const within = (command: string): string[] => ['unshare', '-m', 'sh', '-ec', `${command}; exec "$@"`, 'sh']
const libraryPath = (name: string): string =>
  realpathSync(join('/usr/lib', `${process.arch === 'x64' ? 'x86_64' : 'aarch64'}-linux-gnu`, name))

/** Replaces a file of the copy: the links to it elsewhere keep theirs. */
function replace(path: string, change: (copy: string) => void): void {
  copyFileSync(path, `${path}.copy`)
  chmodSync(`${path}.copy`, 0o755)
  change(`${path}.copy`)
  renameSync(`${path}.copy`, path)
}

function replaceByDirectory(path: string): void {
  rmSync(path)
  mkdirSync(path)
}

const programs = ['crio-lxc-start', 'crio-lxc-init', 'stage/init'] as const

describe.each(programs)('%s', (name) => {
  it.each<[string, (path: string) => void, string]>([
    ['missing', (path) => rmSync(path), 'is missing: install the whole tree again'],
    ['empty', (path) => replace(path, (copy) => truncateSync(copy)), 'is empty: install the whole tree again'],
    ['cut short', (path) => replace(path, (copy) => truncateSync(copy, 3000)), 'is cut short: install the whole'],
    [
      'not executable',
      (path) => replace(path, (copy) => chmodSync(copy, 0o644)),
      'is not executable: install the whole',
    ],
    [
      'no program',
      (path) => replace(path, (copy) => writeFileSync(copy, 'no program')),
      'is no program: install the whole',
    ],
    [
      'for another machine',
      (path) =>
        replace(path, (copy) => {
          const bytes = readFileSync(copy)
          bytes.writeUInt16LE(243, 18)
          writeFileSync(copy, bytes)
        }),
      'is a program for riscv64, and this is ',
    ],
    ['a directory', replaceByDirectory, 'is no file: install the whole tree again'],
  ])('%s', (_, damage, words) => {
    damage(join(libexec, name))
    const sentence = refusal()
    expect(sentence).toContain(join(libexec, name))
    expect(sentence).toContain(words)
  })
})

describe('other files', () => {
  it.each(['lxc', 'stage', 'stage/mask', 'stage/dev'])('the directory %s is missing', (name) => {
    rmSync(join(libexec, name), { recursive: true })
    expect(refusal()).toMatch(/: install the whole tree again$/)
  })

  it.each(['poststop', 'poststart', 'startContainer', 'createRuntime'] as const)(
    'crio-lxc-hook is missing, and the bundle has a %s hook: create says so',
    async (point) => {
      rmSync(join(libexec, 'crio-lxc-hook'))
      const hooks = (spec: Spec) => Object.assign(spec, { hooks: { [point]: [{ path: '/bin/true' }] } })
      const hooked = await t.bundle({ args: ['true'], spec: hooks })
      expect(refusal([], hooked.path)).toMatch(/^hooks need \S+\/crio-lxc-hook: it is missing: install it again$/)
    },
  )

  it('exec says the same of crio-lxc-init', async () => {
    const { id } = await t.running()
    rmSync(join(libexec, 'crio-lxc-init'))
    expect(run(['exec', id, 'true'])).toMatchObject({
      status: 255,
      stderr: `${libexec}/crio-lxc-init is missing: install the whole tree again\n`,
    })
  })

  it('libexec is mounted noexec', () => {
    const through = within(`mount --bind ${libexec} ${libexec}; mount -o remount,bind,noexec ${libexec}`)
    expect(refusal(through)).toBe(
      `${libexec} lies on ${libexec}, which is mounted noexec: mount it exec, or install to another place`,
    )
  })
})

describe('libraries', () => {
  const hidden = (library: string): string[] => {
    const empty = join(t.hostDirectory(), 'empty')
    writeFileSync(empty, '')
    return within(`mount --bind ${empty} ${library}`)
  }

  it('liblxc cannot be loaded', () => {
    expect(refusal(hidden(libraryPath('liblxc.so.1')))).toMatch(
      /crio-lxc-start cannot be loaded: \S*liblxc\.so\.1: file too short: install liblxc 5\.0 or newer \(Debian 12: liblxc1, /,
    )
  })

  it.each<[string, string, RegExp]>([
    ['is older than 5.0', '4.0.6', /^the liblxc of this host is 4\.0\.6: install liblxc 5\.0 or newer/],
    ['has not what is called', '', /crio-lxc-start cannot be loaded: .*undefined symbol: lxc_\w+: install/],
  ])('liblxc %s', (_, version, sentence) => {
    const directory = t.hostDirectory()
    const source = join(directory, 'liblxc.c')
    const library = join(directory, 'liblxc.so')
    const functions = `
      void *lxc_container_new(void) { return 0; }
      const char *lxc_get_version(void) { return "${version}"; }
      int lxc_has_api_extension(void) { return 0; }`
    writeFileSync(source, version ? functions : '')
    execFileSync('cc', ['-shared', '-fPIC', '-Wl,-soname,liblxc.so.1', '-o', library, source])
    expect(refusal(within(`mount --bind ${library} ${libraryPath('liblxc.so.1')}`))).toMatch(sentence)
  })

  it('libseccomp cannot be loaded, which liblxc needs', () => {
    expect(refusal(hidden(libraryPath('libseccomp.so.2')))).toMatch(
      /crio-lxc-start cannot be loaded: \S*libseccomp\.so\.2: file too short: install the package of that library/,
    )
  })

  it('a library has not the version that was linked', () => {
    const directory = t.hostDirectory()
    const build = (name: string, text: string, ...args: string[]): void => {
      writeFileSync(join(directory, `${name}.c`), text)
      execFileSync('cc', ['-o', name, `${name}.c`, ...args], { cwd: directory })
    }
    const library = (version: string): void => {
      writeFileSync(join(directory, 'map'), `${version} { global: answer; };`)
      build('libanswer.so', 'int answer(void) { return 42; }', '-shared', '-fPIC', '-Wl,--version-script=map')
    }
    library('GLIBC_9.9')
    build('start', 'int answer(void); int main(void) { return answer(); }', 'libanswer.so', `-Wl,-rpath,${directory}`)
    replace(join(libexec, 'crio-lxc-start'), (copy) => copyFileSync(join(directory, 'start'), copy))
    library('GLIBC_1.0')
    expect(refusal()).toMatch(
      /crio-lxc-start cannot be loaded: .*version `GLIBC_9\.9' not found .*: install a tree that was built with the C library of this host/,
    )
  })

  describe('on Node', () => {
    requires('node-22')
    it('koffi is missing', () => {
      rmSync(join(prefix, 'lib/crio-lxc/koffi.node'))
      const args = [join(prefix, 'lib/crio-lxc/crio-lxc.js'), '--root', t.root, 'debug', 'plan', bundle.path]
      const { stderr } = spawnSync(productNode() ?? 'node', args, { encoding: 'utf8' })
      expect(stderr).toMatch(/^load \S+\/koffi\.node: .*No such file or directory: install the whole tree again\n$/)
    })

    const onNode = (path: string, through: string[]): string => {
      const program = join(prefix, 'lib/crio-lxc/crio-lxc.js')
      const [command = '', ...args] = [
        ...through,
        productNode() ?? 'node',
        program,
        '--root',
        t.root,
        'debug',
        'plan',
        path,
      ]
      return spawnSync(command, args, { encoding: 'utf8' }).stderr
    }

    it('libseccomp cannot be loaded', async () => {
      const seccomp = { defaultAction: 'SCMP_ACT_ALLOW' } as const
      const filtered = await t.bundle({ args: ['true'], spec: (spec) => Object.assign(spec.linux, { seccomp }) })
      expect(onNode(filtered.path, hidden(libraryPath('libseccomp.so.2')))).toMatch(
        /^load libseccomp\.so\.2: .*file too short.*: install the package of that library\n$/,
      )
    })
  })
})

describe('the host', () => {
  it('has no process left', () => {
    const through = around(t, 'pids', ['pids.max', 'pids.max'], 1)
    const { status, stderr } = run(['create', '--bundle', bundle.path, t.id()], through)
    expect(status).toBe(1)
    expect(stderr).toMatch(/no more processes|resource temporarily unavailable|out of memory/i)
    expect(stderr).not.toContain('/proc/self/fd/')
  })

  it.each([['create', '--bundle'], ['list'], ['kill', 'x'], ['state', 'x'], ['delete', 'x'], ['exec', 'x', 'true']])(
    '%s by another user than root',
    (verb, ...rest) => {
      const args = verb === 'create' ? [verb, '--bundle', bundle.path, 'x'] : [verb, ...rest]
      chmodSync(t.root, 0o700)
      const { status, stderr } = run(args, ['setpriv', '--reuid', '1000', '--clear-groups'])
      expect(status).not.toBe(0)
      expect(stderr).toMatch(/: (permission denied|operation not permitted): run it as root\n$/)
    },
  )
})
