/** npm run install-to -- PREFIX: what is installed, what is left alone, and what is refused. */
import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type State, useContainers } from '../../support/containers.ts'
import { typescript } from '../../support/node.ts'
import { requires } from '../../support/requires.ts'

requires('root', 'own-runtime')
const t = useContainers()
const repository = resolve(import.meta.dirname, '../../..')
const dist = join(repository, 'dist')

interface Run {
  readonly umask?: string
  /** A command, with arguments, that runs what follows. */
  readonly through?: readonly string[]
}

/** Runs the script as npm does. */
function install(prefix: string | readonly string[], { umask = '022', through = [] }: Run = {}) {
  const script = [process.execPath, ...typescript, join(repository, 'scripts/install-to.ts'), ...[prefix].flat()]
  const { status, stdout, stderr } = spawnSync('sh', ['-c', `umask ${umask}; exec "$@"`, 'sh', ...through, ...script], {
    cwd: repository,
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

/** An empty directory in which nobody but root can write. */
function place(): string {
  const directory = t.hostDirectory()
  chmodSync(directory, 0o755)
  return directory
}

/** Everything below a directory: path, and what {@link describeFile} says of it. */
function tree(directory: string): Map<string, string> {
  // find(1) follows no link: the stage's dev/fd leads to /proc/self/fd.
  const { stdout } = spawnSync('find', [directory, '-mindepth', '1', '-printf', '%P\n'], { encoding: 'utf8' })
  const names = stdout.split('\n').filter(Boolean).sort()
  return new Map(names.map((name) => [name, describeFile(join(directory, name))]))
}

/** Kind and mode, owner, and the size of what is no directory. */
function describeFile(path: string): string {
  const { mode, uid, gid, size } = lstatSync(path)
  return `${mode.toString(8)} ${uid}:${gid} ${(mode & 0o170000) === 0o040000 ? '' : size}`
}

describe('install-to', () => {
  it.each(['022', '077', '000'])('makes a tree that is root:root with the same modes under umask %s', (umask) => {
    const prefix = join(place(), 'new/prefix')
    const result = install(prefix, { umask })
    expect(result).toMatchObject({ status: 0, stderr: '' })
    expect(result.stdout).toMatch(new RegExp(`^crio-lxc version \\S+ is installed in ${prefix}\n$`))
    expect(tree(prefix)).toEqual(tree(dist))
    expect(describeFile(prefix)).toBe('40755 0:0 ')
  })

  it('leaves the owner and the mode of directories that exist, and what else lies in them', () => {
    const prefix = place()
    for (const [name, mode, gid] of [
      ['bin', 0o2775, 50],
      ['lib', 0o700, 0],
      ['libexec', 0o751, 8],
    ] as const) {
      mkdirSync(join(prefix, name))
      chownSync(join(prefix, name), 0, gid)
      chmodSync(join(prefix, name), mode)
      writeFileSync(join(prefix, name, 'other'), name)
    }
    const before = ['bin', 'lib', 'libexec', 'bin/other', 'lib/other'].map((name) => describeFile(join(prefix, name)))
    expect(install(prefix)).toMatchObject({ status: 0 })
    const after = ['bin', 'lib', 'libexec', 'bin/other', 'lib/other'].map((name) => describeFile(join(prefix, name)))
    expect(after).toEqual(before)
    expect(describeFile(join(prefix, 'bin/crio-lxc'))).toMatch(/^100755 0:0 /)
    expect(describeFile(join(prefix, 'lib/crio-lxc'))).toBe('40755 0:0 ')
  })

  it('removes what another version left in the directories of crio-lxc, and nothing elsewhere', () => {
    const prefix = place()
    expect(install(prefix)).toMatchObject({ status: 0 })
    for (const name of [
      'lib/crio-lxc/chunk-OLD.js',
      'libexec/crio-lxc/old/program',
      'bin/crio-lxc-old',
      'lib/crio-lxc.conf',
    ]) {
      mkdirSync(join(prefix, name, '..'), { recursive: true })
      writeFileSync(join(prefix, name), 'old')
    }
    symlinkSync(join(prefix, 'bin'), join(prefix, 'lib/crio-lxc/link'))
    expect(install(prefix).stdout).toContain('3 files of another version were removed')
    const added = [...tree(prefix).keys()].filter((name) => !tree(dist).has(name))
    expect(added).toEqual(['bin/crio-lxc-old', 'lib/crio-lxc.conf'])
  })
})

describe('an installation that is used', () => {
  it('is replaced while its programs run, and its containers go on', async () => {
    const prefix = place()
    expect(install(prefix)).toMatchObject({ status: 0 })
    const run = (...args: string[]): string => {
      const stdout = args[0] === 'create' ? 'ignore' : 'pipe'
      const result = spawnSync(join(prefix, 'bin/crio-lxc'), ['--root', t.root, ...args], {
        encoding: 'utf8',
        stdio: ['ignore', stdout, 'inherit'],
      })
      expect(result.status, args.join(' ')).toBe(0)
      return result.stdout
    }
    const bundle = await t.bundle({ args: ['sleep', '1000'] })
    const id = t.id()
    run('create', '--bundle', bundle.path, id)
    const command = openSync(join(prefix, 'bin/crio-lxc'), 'r')
    // What cp(1) would fail on with ETXTBSY: a program that is being executed.
    const busy = spawn(join(prefix, 'bin/crio-lxc'), ['--root', t.root, 'events', id], { stdio: 'ignore' })
    try {
      expect(install(prefix)).toMatchObject({ status: 0, stderr: '' })
      const magic = Buffer.alloc(4)
      readSync(command, magic, 0, 4, 0)
      expect(magic.toString('latin1')).toBe('\x7fELF')
      run('start', id)
      expect((JSON.parse(run('state', id)) as State).status).toBe('running')
      expect(run('exec', id, 'echo', 'inside')).toBe('inside\n')
    } finally {
      busy.kill('SIGKILL')
      closeSync(command)
      run('delete', '--force', id)
    }
  })
})

describe('what is refused', () => {
  const refused = (prefix: string | readonly string[], sentence: RegExp, run: Run = {}): void => {
    const { status, stdout, stderr } = install(prefix, run)
    expect(stderr).toMatch(sentence)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  }

  it('no path, a relative one, or several', () => {
    refused([], /^install to PREFIX: name one absolute path, as in npm run install-to -- \/usr\/local$/m)
    refused('here', /^install to here: name one absolute path/)
    refused(['/one', '/two'], /^install to \/one: name one absolute path/)
  })

  it('another user than root', () => {
    const through = ['setpriv', '--reuid', '1000', '--clear-groups']
    refused(join(place(), 'prefix'), /^install to \S+: .*run this as root$/m, { through })
  })

  it.each([
    [
      'the prefix belongs to a user',
      (prefix: string) => chownSync(prefix, 1000, 0),
      /\/prefix belongs to user 1000, .*chown/,
    ],
    ['its parent does', (prefix: string) => chownSync(join(prefix, '..'), 1000, 0), / belongs to user 1000, /],
    ['anybody may write to it', (prefix: string) => chmodSync(prefix, 0o1777), /anybody may write to \S+\/prefix and/],
    [
      'anybody may write to its bin',
      (prefix: string) => {
        mkdirSync(join(prefix, 'bin'))
        chmodSync(join(prefix, 'bin'), 0o777)
      },
      /anybody may write to \S+\/prefix\/bin and/,
    ],
    [
      'its libexec is a link into a directory of a user',
      (prefix: string) => {
        mkdirSync(join(prefix, '../elsewhere/libexec'), { recursive: true })
        chownSync(join(prefix, '../elsewhere'), 1000, 1000)
        symlinkSync('../elsewhere/libexec', join(prefix, 'libexec'))
      },
      /elsewhere belongs to user 1000, /,
    ],
    [
      'its bin is a file',
      (prefix: string) => writeFileSync(join(prefix, 'bin'), ''),
      /prefix\/bin is no directory: move it away/,
    ],
    [
      'a directory is where a file belongs',
      (prefix: string) => mkdirSync(join(prefix, 'bin/crio-lxc'), { recursive: true }),
      /bin\/crio-lxc is a directory: move it away/,
    ],
  ])('%s', (_, change, sentence) => {
    const prefix = join(place(), 'prefix')
    mkdirSync(prefix)
    change(prefix)
    const before = tree(prefix)
    refused(prefix, sentence)
    expect(tree(prefix)).toEqual(before)
  })

  const onTmpfs = (options: string, directory: string) => [
    'unshare',
    '-m',
    'sh',
    '-c',
    `mkdir -p "$0" && mount -t tmpfs -o mode=755,${options} none "$0" && "$@" && exit; status=$?; find "$0" -type f; exit $status`,
    directory,
  ]

  it('a filesystem without room, and nothing is left there', () => {
    const prefix = join(place(), 'prefix')
    refused(prefix, /^install to \S+: ENOSPC: no space left on device/, { through: onTmpfs('size=2m', prefix) })
  })

  it('a filesystem that is read-only', () => {
    const prefix = join(place(), 'prefix')
    refused(prefix, /^install to \S+: EROFS: read-only file system/, { through: onTmpfs('ro', prefix) })
  })

  it('a libexec that is mounted noexec, and nothing is left there', () => {
    const prefix = place()
    refused(prefix, /^install to \S+: the kernel does not execute \S+\/libexec\/crio-lxc\/crio-lxc-init: .*noexec/, {
      through: onTmpfs('noexec', join(prefix, 'libexec')),
    })
    expect(readdirSync(join(prefix, 'bin'))).toEqual([])
  })
})
