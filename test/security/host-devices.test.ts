/**
 * Inodes of the host's devices: a container that has the usual capabilities must not change their mode, owner or times. The
 * runtime sees a /dev of the test's own, so that nothing of the machine is in danger.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { BundleOptions } from '../support/bundle.ts'
import { useContainers } from '../support/containers.ts'
import { modeAndOwner } from '../support/proc.ts'
import { program } from '../support/programs.ts'
import { requires } from '../support/requires.ts'
import { isRunc } from '../support/runtime.ts'
import { capabilitySets } from '../support/spec.ts'
import { giveImage, mapIds } from '../support/user-namespace.ts'
import { bare } from './attack.ts'

requires('root')
const t = useContainers()

const nodes = { null: 3, zero: 5, full: 7, random: 8, urandom: 9 }
const names = [...Object.keys(nodes), 'tty'].map((name) => `/dev/${name}`)
const state = names.map((name) => `host ${name} 666 0:0 0\n`).join('')

/** Runs "$@" with a new /dev of which it says at the end what has become. */
const ownDev = [
  'unshare',
  '--mount',
  '--propagation',
  'private',
  'sh',
  '-c',
  `mount -t tmpfs -o mode=755 own-dev /dev || exit 77
  umask 0
  ${Object.entries(nodes)
    .map(([name, minor]) => `mknod -m 666 /dev/${name} c 1 ${minor}`)
    .join('; ')}
  mknod -m 666 /dev/tty c 5 0; ln -s /proc/self/fd /dev/fd; mkdir /dev/pts /dev/shm
  mount -t devpts -o newinstance,ptmxmode=666 devpts /dev/pts; ln -s pts/ptmx /dev/ptmx
  touch -d @0 ${names.join(' ')}
  "$@"; code=$?
  stat -c 'host %n %a %u:%g %Y' ${names.join(' ')}; exit $code`,
  'sh',
]

const capabilities = capabilitySets('CAP_CHOWN', 'CAP_FOWNER', 'CAP_DAC_OVERRIDE', 'CAP_SYS_ADMIN', 'CAP_MKNOD')

/** What can be done to an inode without its owner. */
const vandalise = (...paths: string[]): string =>
  paths.map((path) => `chmod 600 ${path}; chown 7:8 ${path}; touch -d @99 ${path}`).join('; ')

/** What the container says, then what has become of the host's nodes. */
async function run(script: string, options: BundleOptions['spec'], through: readonly string[] = ownDev) {
  const bundle = await t.bundle({
    args: ['sh', '-c', `{ ${script}; } 2>/dev/null; true`],
    process: { capabilities },
    spec: (spec) => {
      bare(spec)
      options?.(spec)
    },
  })
  writeFileSync(join(bundle.rootfs, 'secret'), 'secret')
  return t.run(bundle, { through })
}

describe('a mask is no inode of the host', () => {
  it('of a file of procfs', async () => {
    const result = await run(`${vandalise('/proc/version')}; wc -c < /proc/version`, (spec) => {
      spec.linux.maskedPaths = ['/proc/version']
    })
    expect(result).toMatchObject({ exitCode: 0, stdout: `0\n${state}` })
  })

  it('of a file of the image, also when it is listed twice', async () => {
    const result = await run(`${vandalise('/secret')}; cat /secret; echo x > /secret; cat /secret`, (spec) => {
      spec.linux.maskedPaths = ['/secret', '/secret', '//secret']
    })
    expect(result).toMatchObject({ exitCode: 0, stdout: state })
  })

  it('keeps mode and owner, as nobody may change them', async () => {
    if (isRunc) return
    const result = await run(`${vandalise('/secret')}; stat -c '%F %t:%T %a %u:%g' /secret`, (spec) => {
      spec.linux.maskedPaths = ['/secret']
    })
    expect(result.stdout).toBe(`character special file 1:3 666 0:0\n${state}`)
  })

  it('of a directory, also when it is listed twice, stays empty', async () => {
    const result = await run('touch /etc/new; ls -A /etc', (spec) => {
      spec.linux.maskedPaths = ['/etc', '/etc']
    })
    expect(result).toMatchObject({ exitCode: 0, stdout: state })
  })
})

describe('a device of the container is no inode of the host', () => {
  const use = 'echo x > /dev/null; head -c 2 /dev/zero | wc -c; echo x > /dev/full || echo full'
  const used = '2\nfull\n'

  it('without a mount at /dev', async () => {
    const result = await run(`${use}; ${vandalise(...names)}`, undefined)
    expect(result).toMatchObject({ exitCode: 0, stdout: `${used}${state}` })
  })

  it('with a tmpfs at /dev, also with tmpcopyup', async () => {
    for (const options of [['mode=755'], ['mode=755', 'tmpcopyup']]) {
      const result = await run(`${use}; ${vandalise(...names)}`, (spec) => {
        spec.mounts.push({ destination: '/dev', type: 'tmpfs', source: 'tmpfs', options })
      })
      expect(result).toMatchObject({ exitCode: 0, stdout: `${used}${state}` })
    }
  })

  // runc 1.1.5 binds the host's nodes into a user namespace, and fails.
  describe("in a user namespace whose root is the host's", () => {
    requires('own-runtime')
    it.each(['with a tmpfs at /dev', 'without a mount at /dev'])('%s', async (dev) => {
      const result = await run(`${use}; ${vandalise('/proc/version', ...names)}; wc -c < /proc/version`, (spec) => {
        mapIds(spec, [{ containerID: 0, hostID: 0, size: 65_536 }])
        spec.linux.maskedPaths = ['/proc/version']
        if (dev.startsWith('with ')) spec.mounts.push({ destination: '/dev', type: 'tmpfs', source: 'tmpfs' })
      })
      expect(result).toMatchObject({ exitCode: 0, stdout: `${used}0\n${state}` })
    })
  })
})

/** The redirections are made with the test's own /dev. */
const onDevices = (redirections: string): string[] => [...ownDev, 'sh', '-c', `"$@" ${redirections}`, 'sh']

describe('a device of the host that is given as stdio', () => {
  const stdin = vandalise('/proc/self/fd/0')

  // runc 1.1.5 gives all but the null device to the user, and leaves them writable.
  describe('keeps its mode and owner', () => {
    requires('own-runtime')
    it.each(['null', 'zero', 'full', 'random', 'urandom'])('/dev/%s, of run', async (name) => {
      const result = await run(`${stdin}; echo over`, undefined, onDevices(`</dev/${name}`))
      expect(result).toMatchObject({ exitCode: 0, stdout: `over\n${state}` })
    })

    it('/dev/full, of run as another user', async () => {
      const user = { process: { user: { uid: 1000, gid: 1000 } } }
      const bundle = await t.bundle({ args: ['sh', '-c', 'true'], ...user })
      expect(await t.run(bundle, { through: onDevices('</dev/full 2>/dev/zero') })).toMatchObject({ stdout: state })
    })

    it("/dev/full, in a user namespace whose root is the host's", async () => {
      const result = await run(
        `${stdin}; echo over`,
        (spec) => mapIds(spec, [{ containerID: 0, hostID: 0, size: 65_536 }]),
        onDevices('</dev/full'),
      )
      expect(result).toMatchObject({ exitCode: 0, stdout: `over\n${state}` })
    })

    it('/dev/null, of exec', async () => {
      const { id } = await t.running({ process: { capabilities } })
      const script = `{ ${stdin}; } 2>/dev/null; echo over; : >&2`
      const result = await t.runtime(['exec', id, 'sh', '-c', script], { through: onDevices('</dev/null 2>/dev/null') })
      expect(result).toMatchObject({ exitCode: 0, stdout: `over\n${state}` })
    })

    it("/dev/null, of exec, where the container's own is something else", async () => {
      const { id } = await t.running({ process: { capabilities } })
      const replaced = 'rm /dev/null 2>/dev/zero; mknod /dev/null c 1 5 && ls -lL /dev/null | grep -c "1, *5"'
      expect((await t.runtime(['exec', id, 'sh', '-c', replaced])).stdout).toBe('1\n')
      const script = `wc -c; { ${stdin}; } 2>/dev/zero; echo over`
      const result = await t.runtime(['exec', id, 'sh', '-c', script], { through: onDevices('</dev/null') })
      expect(result).toMatchObject({ exitCode: 0, stdout: `0\nover\n${state}` })
    })
  })

  it('works as before', async () => {
    const script = 'head -c 3 | wc -c; echo x >&2 && echo written'
    const bundle = await t.bundle({ args: ['sh', '-c', script] })
    expect((await t.run(bundle, { through: onDevices('</dev/zero 2>/dev/null') })).stdout).toBe(`3\nwritten\n${state}`)
  })
})

describe('a file of root of the host that is given as stdin', () => {
  requires('own-runtime')
  it("stays its owner's where a user namespace does not know root", async () => {
    const file = join(t.hostDirectory(), 'input')
    writeFileSync(file, 'text')
    const bundle = await t.bundle({ args: ['cat'], spec: (spec) => mapIds(spec) })
    giveImage(bundle)
    const through = ['sh', '-c', '"$@" <"$0"', file]
    expect(await t.run(bundle, { through })).toMatchObject({ exitCode: 0, stdout: 'text' })
    expect(modeAndOwner(file)).toBe('644 0:0')
  })
})

describe('the terminal of the caller', () => {
  it('keeps its owner when it is stdio of a container of another user', async () => {
    const script = '"$@" >/dev/null; stat -L -c %u /proc/self/fd/0'
    const bundle = await t.bundle({ args: ['true'], process: { user: { uid: 1000, gid: 1000 } } })
    const through = [program('on-pty'), '24', '80', 'sh', '-c', script, 'sh']
    expect((await t.run(bundle, { through, input: '' })).stdout).toBe('0\r\n')
  })
})
