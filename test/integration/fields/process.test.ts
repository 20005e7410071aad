import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { program } from '../../support/programs.ts'
import { requires } from '../../support/requires.ts'

requires('root')
const t = useContainers()

describe('process.user', () => {
  it('is root without groups by default', async () => {
    const report = await t.probe()
    expect(report).toMatchObject({ uid: [0, 0, 0], gid: [0, 0, 0], groups: [] })
  })

  it('sets real, effective and saved uid and gid and the groups', async () => {
    const report = await t.probe({ process: { user: { uid: 1234, gid: 5678, additionalGids: [9, 1000, 65_533] } } })
    expect(report).toMatchObject({ uid: [1234, 1234, 1234], gid: [5678, 5678, 5678], groups: [9, 1000, 65_533] })
  })

  it.each([
    [0o077, '0077'],
    [0, '0000'],
    [0o027, '0027'],
    [undefined, '0022'],
  ])('umask %s', async (umask, expected) => {
    const user = umask === undefined ? { uid: 0, gid: 0 } : { uid: 0, gid: 0, umask }
    const through = [program('launch'), '--umask', '0077', '--']
    expect((await t.probe({ process: { user } }, { through })).umask).toBe(expected)
  })

  it('keeps large ids', async () => {
    const report = await t.probe({ process: { user: { uid: 2_147_483_646, gid: 2_147_483_645 } } })
    expect([report.uid[0], report.gid[0]]).toEqual([2_147_483_646, 2_147_483_645])
  })
})

describe('HOME of a process that has none', () => {
  const home = async (passwd: string | Buffer): Promise<string> => {
    const bundle = await t.bundle({ args: ['sh', '-c', 'printf %s "$HOME" | od -An -tx1 | tr -d " \\n"'] })
    writeFileSync(`${bundle.rootfs}/etc/passwd`, passwd)
    const { stdout } = await t.run(bundle)
    return Buffer.from(stdout, 'hex').toString('latin1')
  }

  it('has the bytes of passwd, also where they are no UTF-8', async () => {
    const line = Buffer.from('n\xffme:x:0:0:r\xe9al name:/root/caf\xe9/\xed\xa0\x80\xc3\xa4:/bin/sh\n', 'latin1')
    expect(await home(line)).toBe('/root/caf\xe9/\xed\xa0\x80\xc3\xa4')
  })

  describe('beyond runc', () => {
    requires('own-runtime')

    // runc takes what it cannot read for 0.
    it('is of a line whose id is decimal', async () => {
      const lines = [
        'a:x:0x0:0::/hex:',
        'b:x: 0:0::/blank:',
        'c:x:0e1:0::/exponent:',
        'd:x:-0:0::/minus:',
        'e:x:0:0::/home:',
      ]
      expect(await home(`${lines.join('\n')}\n`)).toBe('/home')
    })
  })
})

describe('process.cwd, env and args', () => {
  it('is the cwd', async () => {
    expect((await t.probe({ process: { cwd: '/tmp' } })).cwd).toBe('/tmp')
  })

  it('follows a link inside the rootfs', async () => {
    const bundle = await t.bundle({ args: ['/probe'], process: { cwd: '/link' } })
    symlinkSync('/tmp', `${bundle.rootfs}/link`)
    expect((await t.probe(bundle)).cwd).toBe('/tmp')
  })

  it.each([
    ['root without capabilities', { uid: 0, gid: 0 }, { uid: 1000, gid: 1000 }],
    ["one's own", { uid: 1000, gid: 1000 }, { uid: 1000, gid: 1000 }],
    ["another user's", { uid: 1001, gid: 1001 }, { uid: 1000, gid: 1000 }],
    ["root's", { uid: 1000, gid: 1000 }, { uid: 0, gid: 0 }],
  ])('is a directory that its owner alone may enter: %s', async (_, user, owner) => {
    const capabilities = { bounding: ['CAP_KILL'], effective: ['CAP_KILL'], permitted: ['CAP_KILL'] }
    const process = { cwd: '/home/inner', user, capabilities }
    const bundle = await t.bundle({ args: ['sleep', '1000'], process: { ...process, cwd: '/' } })
    mkdirSync(`${bundle.rootfs}/home/inner`, { recursive: true })
    for (const directory of ['home', 'home/inner']) {
      chmodSync(`${bundle.rootfs}/${directory}`, 0o700)
      chownSync(`${bundle.rootfs}/${directory}`, owner.uid, owner.gid)
    }
    bundle.writeConfig({ ...bundle.spec, process: { ...bundle.spec.process, ...process, args: ['/bin/pwd'] } })
    expect(await t.run(bundle)).toMatchObject({ exitCode: 0, stdout: '/home/inner\n', stderr: '' })

    bundle.writeConfig(bundle.spec)
    const { id } = await t.running(bundle)
    expect(await t.runtime(['exec', '--cwd', '/home/inner', id, '/bin/pwd'])).toMatchObject({
      exitCode: 0,
      stdout: '/home/inner\n',
    })
  })

  it('cannot be a file', async () => {
    const result = await t.run({ process: { cwd: '/etc/passwd' } })
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/\/etc\/passwd.*not a directory/)
  })

  it("makes a missing cwd for a user who could not, root's and 0755", async () => {
    const bundle = await t.bundle({
      args: ['sh', '-c', 'pwd; stat -c "%a %u:%g" .'],
      process: { cwd: '/made/deep', user: { uid: 1000, gid: 1000 } },
      spec: (spec) => {
        spec.root.readonly = false
      },
    })
    expect((await t.run(bundle)).stdout).toBe('/made/deep\n755 0:0\n')
  })

  it('makes a missing cwd', async () => {
    const report = await t.probe({
      process: { cwd: '/made/for/you' },
      spec: (spec) => {
        spec.root.readonly = false
      },
    })
    expect(report.cwd).toBe('/made/for/you')
  })

  it('passes args unchanged: empty, newline, quotes, backslash, unicode, tab, control characters', async () => {
    const args = [
      '/probe',
      '',
      ' ',
      'a\nb',
      '"q"',
      "'s'",
      '\\',
      '$PATH',
      '\t\x01\x7f',
      'größe → 漢字 🦀',
      '-x',
      '#',
      '=',
    ]
    expect((await t.probe({ args })).argv).toEqual(args)
  })

  it('passes env unchanged and in order, but for HOME', async () => {
    const env = [
      'PATH=/bin',
      'EMPTY=',
      'LINE=a\nb',
      'EQUALS=a=b=c',
      'SPACE= x ',
      'UNICODE=漢字',
      'QUOTE="\'',
      'HOME=/nowhere',
    ]
    expect((await t.probe({ process: { env } })).env).toEqual(env)
  })

  it('sets HOME from the passwd of the container when the spec does not', async () => {
    const root = await t.probe({ process: { env: ['PATH=/bin'] } })
    expect(root.env).toContain('HOME=/root')
    const user = await t.probe({ process: { env: ['PATH=/bin'], user: { uid: 1000, gid: 1000 } } })
    expect(user.env).toContain('HOME=/tmp')
    const unknown = await t.probe({ process: { env: ['PATH=/bin'], user: { uid: 4321, gid: 1 } } })
    expect(unknown.env).toContain('HOME=/')
  })

  it('sets HOME when the spec has an empty one', async () => {
    const env = ['PATH=/bin', 'HOME=', 'LAST=1']
    expect((await t.probe({ process: { env } })).env.toSorted()).toEqual(['HOME=/root', 'LAST=1', 'PATH=/bin'])
  })

  it('takes HOME from the first line of the user, whatever is around it', async () => {
    const bundle = await t.bundle({ args: ['/probe'], process: { env: ['PATH=/bin'], user: { uid: 5, gid: 5 } } })
    const lines = ['', '# a comment', 'bad', 'x:x:55:5::/no:/bin/sh', 'a:x:5:0::/first:', 'b:x:5:0::/second:', '']
    writeFileSync(`${bundle.rootfs}/etc/passwd`, lines.join('\n'))
    expect((await t.probe(bundle)).env).toContain('HOME=/first')
  })

  it('is / without a passwd', async () => {
    const bundle = await t.bundle({ args: ['/probe'], process: { env: ['PATH=/bin'] } })
    rmSync(`${bundle.rootfs}/etc/passwd`)
    expect((await t.probe(bundle)).env).toContain('HOME=/')
  })

  it("passes nothing of the caller's environment", async () => {
    const { env } = await t.probe(
      { process: { env: ['PATH=/bin', 'HOME=/'] } },
      { env: { ...process.env, LEAK: 'x' } as Record<string, string> },
    )
    expect(env).toEqual(['PATH=/bin', 'HOME=/'])
  })

  it('passes 5 000 args', async () => {
    const args = ['/probe', ...Array.from({ length: 5000 }, (_, index) => `argument-${index}`)]
    expect((await t.probe({ args })).argv).toEqual(args)
  })

  it('passes 1 MiB of args and env', async () => {
    const long = 'x'.repeat(100_000)
    const args = ['/probe', ...Array.from({ length: 6 }, (_, index) => `${index}${long}`)]
    const env = ['HOME=/', ...Array.from({ length: 5 }, (_, index) => `E${index}=${long}`)]
    const report = await t.probe({ args, process: { env } })
    expect(report.argv).toEqual(args)
    expect(report.env).toEqual(env)
  })

  it('finds the program in the PATH of the container, in its order', async () => {
    const bundle = await t.bundle({ args: ['which-one'], process: { env: ['PATH=/no/such:/second:/bin'] } })
    for (const directory of ['second', 'bin']) {
      mkdirSync(`${bundle.rootfs}/${directory}`, { recursive: true })
      writeFileSync(`${bundle.rootfs}/${directory}/which-one`, `#!/bin/sh\necho ${directory}\n`)
      chmodSync(`${bundle.rootfs}/${directory}/which-one`, 0o755)
    }
    expect((await t.run(bundle)).stdout).toBe('second\n')
  })

  it('runs a script by its interpreter', async () => {
    const bundle = await t.bundle({ args: ['/script', 'arg'] })
    writeFileSync(`${bundle.rootfs}/script`, '#!/bin/sh -e\necho "$0 $1"\n')
    chmodSync(`${bundle.rootfs}/script`, 0o755)
    expect((await t.run(bundle)).stdout).toBe('/script arg\n')
  })
})

describe('process.oomScoreAdj', () => {
  it.each([0, 500, 1000])('%i', async (oomScoreAdj) => {
    expect((await t.probe({ process: { oomScoreAdj } })).oomScoreAdj).toBe(`${oomScoreAdj}\n`)
  })
})

describe('what the process inherits', () => {
  it('is pid 1 of its pid namespace, a session leader, without a death signal', async () => {
    const report = await t.probe()
    expect(report).toMatchObject({ pid: 1, ppid: 0, deathSignal: 0 })
    expect(report.tty.session).toBe(1)
  })

  it('has descriptors 0, 1 and 2 alone, though the caller has 3 to 20 open on /', async () => {
    const { fds } = await t.probe({}, { through: [program('launch'), '--fds', '--'] })
    expect(Object.keys(fds)).toEqual(['0', '1', '2'])
    expect(Object.values(fds).filter((target) => target === '/')).toEqual([])
  })

  it.each(Array.from({ length: 18 }, (_, index) => index + 3))(
    'cannot use cwd /proc/self/fd/%i (CVE-2024-21626)',
    async (fd) => {
      const result = await t.run(
        { args: ['/bin/ls', '.'], process: { cwd: `/proc/self/fd/${fd}` } },
        { through: [program('launch'), '--fds', '--'] },
      )
      expect(result.exitCode).not.toBe(0)
      expect(result.stdout).toBe('')
    },
  )

  it('has no signal ignored, though the caller ignores six', async () => {
    expect((await t.probe({}, { through: [program('launch'), '--ignore-signals', '--'] })).signalsIgnored).toEqual([])
  })

  it("works when the caller's stdin is closed", async () => {
    expect(
      (await t.run({ args: ['echo', 'fine'] }, { through: [program('launch'), '--close', '0', '--'] })).stdout,
    ).toBe('fine\n')
  })
})
