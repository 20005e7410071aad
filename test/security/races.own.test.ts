/**
 * A container exchanges two names again and again (renameat2(2), RENAME_EXCHANGE), in a directory that it shares with
 * containers which are created meanwhile. ROUNDS says how many of these there are in each race: npm run test:security
 * makes 2,000.
 */
import { copyFileSync, existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Bundle, makeBundle } from '../support/bundle.ts'
import { useContainers } from '../support/containers.ts'
import { program } from '../support/programs.ts'
import { requires } from '../support/requires.ts'
import { type InvokeOptions, messageOf } from '../support/runtime.ts'
import { waitFor } from '../support/wait-for.ts'
import { bare } from './attack.ts'
import { hostState } from './host-state.ts'

requires('root', 'own-runtime')
const t = useContainers()

const ROUNDS = Number(process.env.ROUNDS ?? 40)
const SECRET = 'the content of the canary'
/** Rounds between two lines that say how far a long race is. */
const STAGE = 500

interface Race {
  readonly name: string
  readonly lesson: string
  /** Prepares the victim; returns the directory that is shared, and the two names in it. */
  readonly prepare: (scene: Scene) => { shared: string; names: readonly [string, string] }
  /** What a container that has come to run may say. */
  readonly harmless: RegExp
  readonly options?: InvokeOptions
  /** Of each round; by default the victim is run. */
  readonly round?: 'exec'
}

interface Scene {
  readonly victim: Bundle
  /** A directory of the host with the file `canary`. */
  readonly outside: string
}

/** A directory of the victim's bundle, mounted at /vol. */
function volume({ path, spec }: Bundle): string {
  const directory = join(path, 'volume')
  mkdirSync(directory)
  spec.mounts.push({ destination: '/vol', type: 'bind', source: directory, options: ['bind'] })
  return directory
}

const upAndOut = (outside: string): string => `${'../'.repeat(15)}${outside.slice(1)}`

const races: readonly Race[] = [
  {
    name: 'the target of a mount and a link out of the rootfs',
    lesson: 'CVE-2021-30465',
    harmless: /^$/,
    prepare({ victim, outside }) {
      const shared = volume(victim)
      mkdirSync(join(shared, 'a'))
      symlinkSync(upAndOut(outside), join(shared, 'b'))
      victim.spec.mounts.push(
        { destination: '/vol/a', type: 'tmpfs', source: 'tmpfs', options: ['ro'] },
        { destination: '/vol/a/new/deep', type: 'bind', source: shared, options: ['bind'] },
      )
      victim.spec.process.args = ['sh', '-c', 'cat /vol/a/canary /vol/b/canary 2>/dev/null; true']
      return { shared, names: ['a', 'b'] }
    },
  },
  {
    name: 'a masked path and a link to a kernel parameter',
    lesson: 'CVE-2025-31133',
    // What counts is that neither the parameter nor anything else of the host is changed, or covered on the host.
    harmless: /^(?:secret|core.*|\|.*)?\n?$/,
    prepare({ victim }) {
      const { rootfs } = victim
      writeFileSync(join(rootfs, 'tmp/a'), 'secret\n')
      symlinkSync('/proc/sys/kernel/core_pattern', join(rootfs, 'tmp/b'))
      victim.spec.linux.maskedPaths = ['/tmp/a', '/tmp/b']
      victim.spec.process.args = ['cat', '/tmp/a']
      return { shared: join(rootfs, 'tmp'), names: ['a', 'b'] }
    },
  },
  {
    name: 'the null device of the image and a link to a file of the host',
    lesson: 'CVE-2025-31133',
    harmless: /^$/,
    prepare({ victim, outside }) {
      const { rootfs } = victim
      writeFileSync(join(rootfs, 'dev/null'), '')
      symlinkSync(join(outside, 'canary'), join(rootfs, 'dev/other'))
      writeFileSync(join(rootfs, 'masked'), 'secret\n')
      victim.spec.linux.maskedPaths = ['/masked']
      victim.spec.process.args = ['sh', '-c', 'cat /masked; echo written > /masked; true']
      return { shared: join(rootfs, 'dev'), names: ['null', 'other'] }
    },
  },
  {
    name: 'the working directory and a link to the root of the host',
    lesson: 'CVE-2024-21626',
    harmless: /^\/vol\/[ab]\n$/,
    options: { through: [program('launch'), '--fds', '--'] },
    prepare({ victim, outside }) {
      const shared = volume(victim)
      mkdirSync(join(shared, 'a'))
      symlinkSync('/proc/self/fd/7', join(shared, 'b'))
      victim.spec.process.cwd = '/vol/a'
      victim.spec.process.args = [
        'sh',
        '-c',
        `pwd; cat ${upAndOut(outside)}/canary .${outside}/canary 2>/dev/null; true`,
      ]
      return { shared, names: ['a', 'b'] }
    },
  },
  {
    name: 'the working directory of exec and a link to the root of the host',
    lesson: 'CVE-2024-21626',
    harmless: /^\/vol\/[ab]\n$/,
    options: { through: [program('launch'), '--fds', '--'] },
    round: 'exec',
    prepare({ victim, outside }) {
      const shared = volume(victim)
      mkdirSync(join(shared, 'a'))
      symlinkSync('/proc/self/fd/7', join(shared, 'b'))
      victim.spec.process.args = [
        'sh',
        '-c',
        `pwd; cat ${upAndOut(outside)}/canary .${outside}/canary 2>/dev/null; true`,
      ]
      return { shared, names: ['a', 'b'] }
    },
  },
  {
    name: '/proc of the image and a link to a false one, while sysctls are set and paths are masked',
    lesson: 'CVE-2025-52881',
    // It may find the false one under either name. Where it finds the procfs, all of it is as it was asked for.
    harmless: /^$/,
    prepare({ victim }) {
      const { rootfs, spec } = victim
      mkdirSync(join(rootfs, 'false/sys/kernel'), { recursive: true })
      symlinkSync('/proc/sys/kernel/core_pattern', join(rootfs, 'false/sys/kernel/shmmni'))
      symlinkSync('false', join(rootfs, 'link'))
      spec.linux.sysctl = { 'kernel.shmmni': '4242' }
      spec.linux.readonlyPaths = ['/proc/sys']
      spec.linux.maskedPaths = ['/proc/version']
      // A working directory stays the same one, however it is called meanwhile.
      const look = `for d in /proc /link; do
        cd $d/sys/kernel && [ -e core_pattern ] && { (: >> core_pattern) && echo writable; cat shmmni | grep -vx 4242; }
        cd $d && [ -e uptime ] && head -c 1 version | grep . && echo unmasked
      done; true`
      spec.process.args = ['sh', '-c', `{ ${look}; } 2>/dev/null`]
      return { shared: rootfs, names: ['proc', 'link'] }
    },
  },
  {
    name: '/dev/console of the image and a link to a file of the host',
    lesson: 'CVE-2025-52565',
    harmless: /^(?:ready\r\n)?$/,
    options: { through: [program('on-pty'), '24', '80'], input: '' },
    prepare({ victim, outside }) {
      const { rootfs, spec } = victim
      writeFileSync(join(rootfs, 'dev/console'), '')
      symlinkSync(upAndOut(join(outside, 'canary')), join(rootfs, 'dev/other'))
      spec.mounts.push({
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
      })
      spec.process.terminal = true
      spec.process.args = ['sh', '-c', 'echo ready']
      return { shared: join(rootfs, 'dev'), names: ['console', 'other'] }
    },
  },
  {
    name: 'the rootfs and a link to the root of the host',
    lesson: 'rule: root.path is no symlink',
    harmless: /^$/,
    prepare({ victim, outside }) {
      const shared = join(victim.path, 'roots')
      mkdirSync(shared)
      renameSync(victim.rootfs, join(shared, 'rootfs'))
      symlinkSync('/', join(shared, 'link'))
      writeFileSync(join(shared, 'rootfs/marker'), '')
      victim.spec.root.path = 'roots/rootfs'
      victim.spec.process.args = [
        '/bin/sh',
        '-c',
        `[ -e /marker ] || echo elsewhere; cat ${outside}/canary 2>/dev/null; true`,
      ]
      return { shared, names: ['rootfs', 'link'] }
    },
  },
  {
    name: 'the parent of the rootfs and a link to another one',
    lesson: 'rule: no path is used twice',
    // Everything from the one, or everything from the other.
    harmless: /^(?:one one|two two)?\n?$/,
    prepare({ victim }) {
      const shared = join(victim.path, 'parents')
      for (const [index, name] of ['one', 'two'].entries()) {
        const rootfs = join(shared, name, 'rootfs')
        mkdirSync(join(rootfs, 'bin'), { recursive: true })
        for (const directory of ['proc', 'dev', 'sub']) mkdirSync(join(rootfs, directory))
        copyFileSync('/bin/busybox', join(rootfs, 'bin/sh'))
        for (const path of ['name', 'sub/name']) writeFileSync(join(rootfs, path), index === 0 ? 'one' : 'two')
      }
      symlinkSync('two', join(shared, 'link'))
      victim.spec.root.path = 'parents/one/rootfs'
      victim.spec.process.cwd = '/sub'
      victim.spec.process.args = ['/bin/sh', '-c', 'read a < /name; read b < name; echo $a $b']
      return { shared, names: ['one', 'link'] }
    },
  },
]

/** A container that exchanges the names until the end of the test. */
async function exchange(shared: string, names: readonly [string, string]): Promise<void> {
  const racer = await t.bundle({
    args: ['/intruder', 'swap', ...names.map((name) => `/shared/${name}`)],
    spec: (spec) =>
      spec.mounts.push({ destination: '/shared', type: 'bind', source: shared, options: ['bind', 'rw'] }) as never,
  })
  copyFileSync(program('intruder'), join(racer.rootfs, 'intruder'))
  await t.running(racer)
  await waitFor(() => existsSync(join(shared, 'swapping')), { what: 'the first exchanges' })
}

describe.each(races)('$name ($lesson)', ({ prepare, harmless, options, round }) => {
  it(`${ROUNDS} containers while they are exchanged`, { timeout: 60_000 + ROUNDS * 1000 }, async ({ task }) => {
    const outside = t.hostDirectory('outside-')
    writeFileSync(join(outside, 'canary'), SECRET)
    const victim = await makeBundle(t.directory)
    bare(victim.spec)
    const { shared, names } = prepare({ victim, outside })
    if (round === 'exec') victim.spec.process.args = ['sleep', '1000']
    victim.writeConfig(victim.spec)
    const command = ['sh', '-c', `pwd; cat ${upAndOut(outside)}/canary .${outside}/canary 2>/dev/null; true`]
    const entered = round === 'exec' ? (await t.running(victim)).id : ''
    const before = hostState([outside])
    await exchange(shared, names)

    const counts = { ran: 0, refused: 0 }
    const refusals = new Map<string, number>()
    const id = t.id()
    for (let n = 0; n < ROUNDS; n++) {
      if (n > 0 && n % STAGE === 0) console.log(`${n} of ${ROUNDS}: ${task.suite?.name}`)
      const result =
        round === 'exec'
          ? await t.runtime(['exec', '--cwd', `/vol/${names[0]}`, entered, ...command], options)
          : await t.runtime(['run', '--bundle', victim.path, id], options)
      expect(result.timedOut).toBe(false)
      if (result.exitCode === 0) {
        counts.ran++
        expect(result.stdout).toMatch(harmless)
        continue
      }
      counts.refused++
      expect(result.stdout + result.stderr).not.toContain(SECRET)
      const message = messageOf(result) || result.stdout.trim()
      expect(message).not.toMatch(/internal error/)
      const kind = /no such file or directory|too many levels of symbolic links/i.exec(message)?.[0] ?? message
      refusals.set(kind, (refusals.get(kind) ?? 0) + 1)
    }
    expect(hostState([outside])).toEqual(before)
    Object.assign(task.meta, { counts })
    const why = [...refusals].map(([kind, count]) => `${count} ${kind}`).join(', ')
    console.log(`${task.suite?.name}: ${counts.ran} ran, ${counts.refused} refused${why && ` (${why})`}`)
    expect(counts.ran + counts.refused).toBe(ROUNDS)
  })
})
