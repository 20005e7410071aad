/** A program that was found, and that the kernel refuses to execute: the container's own failure, with exit code 1. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { refusedPrograms, writeRefusedPrograms } from '../../support/refused-programs.ts'
import { requires } from '../../support/requires.ts'
import { isRunc, messageOf, runtimePath } from '../../support/runtime.ts'
import { onTerminal } from '../../support/terminal-session.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root')
const t = useContainers()

type Name = keyof typeof refusedPrograms
const programs = Object.entries(refusedPrograms)
const refusedNames = Object.keys(refusedPrograms) as Name[]

function row(name: Name): [errno: string, reason: RegExp] {
  const [, errno, reason] = refusedPrograms[name]
  return [errno, reason]
}

/** What is said of the program at `path`; the reason is our own. */
function expectSentence(text: string, [path, errno, reason]: readonly [string, string, RegExp]): void {
  expect(text.trim().split('\n')).toHaveLength(1)
  expect(text).toContain(path)
  expect(text).toContain(errno)
  if (!isRunc) expect(text).toMatch(reason)
}

it.each(programs)('%s: start succeeds, the container says why and exits with 1', async (name, row) => {
  const [, errno, reason] = row
  const path = `/opt/${name}`
  const bundle = await t.bundle({ args: [path] })
  writeRefusedPrograms(bundle.rootfs)
  const { id, result } = await t.create(bundle)
  expect(await t.runtime(['start', id])).toMatchObject({ exitCode: 0, stdout: '', stderr: '' })
  await t.waitForStatus(id, 'stopped')
  expect(result.output()).toBe('')
  expectSentence(result.errors(), [path, errno, reason])
})

it('run exits with 1 and leaves nothing', async () => {
  const bundle = await t.bundle({ args: ['/opt/crlf'] })
  writeRefusedPrograms(bundle.rootfs)
  const result = await t.run(bundle)
  expect(result).toMatchObject({ exitCode: 1, stdout: '' })
  expectSentence(result.stderr, ['/opt/crlf', ...row('crlf')])
  t.expectNothingLeft()
})

it('exec exits with 1', async () => {
  const bundle = await t.bundle({ args: ['sleep', '1000'] })
  writeRefusedPrograms(bundle.rootfs)
  const { id } = await t.running(bundle)
  for (const name of refusedNames) {
    const result = await t.runtime(['exec', id, `/opt/${name}`])
    expect(result, name).toMatchObject({ exitCode: 1, stdout: '' })
    expectSentence(result.stderr, [`/opt/${name}`, ...row(name)])
  }
})

it('exec --detach has begun a process, which says why and exits', async () => {
  const bundle = await t.bundle({ args: ['sleep', '1000'] })
  writeRefusedPrograms(bundle.rootfs)
  const { id } = await t.running(bundle)
  const pidFile = `${bundle.path}/pid`
  const result = await t.ok(['exec', '--detach', '--pid-file', pidFile, id, '/opt/missing-loader'])
  await waitFor(() => result.errors() !== '')
  expectSentence(result.errors(), ['/opt/missing-loader', ...row('missing-loader')])
  expect(readFileSync(pidFile, 'utf8')).toMatch(/^\d+$/)
})

it('is said to a user who is not root, in a directory of a search path and on a volume', async () => {
  const volume = t.hostDirectory()
  const bundle = await t.bundle({
    args: ['tool'],
    process: { user: { uid: 1000, gid: 1000 }, env: ['PATH=/nowhere:/bin/sh:/vol'], cwd: '/tmp' },
    spec: (spec) => {
      spec.mounts.push({ destination: '/vol', type: 'bind', source: volume, options: ['bind', 'ro'] })
    },
  })
  writeFileSync(`${volume}/tool`, '#!/no/such/interpreter\n', { mode: 0o755 })
  chmodSync(volume, 0o755)
  const result = await t.run(bundle)
  expect(result.exitCode).toBe(1)
  expect(result.stderr).toMatch(isRunc ? /tool: no such file/ : /"tool": no such file.*"\/no\/such\/interpreter"/)
})

it('is said on a terminal', async () => {
  const bundle = await t.bundle({ args: ['sleep', '1000'] })
  writeRefusedPrograms(bundle.rootfs)
  const { id } = await t.running(bundle)
  const session = onTerminal([runtimePath, '--root', t.root, 'exec', '--tty', id, '/opt/crlf'], { env: {} })
  expect(await session.exitCode).toBe(1)
  expect(session.screen()).toMatch(/\/opt\/crlf.*no such file or directory[^\n]*\r\n$/)
})

it('a program that goes away between create and start is no error of start', async () => {
  const bundle = await t.bundle({ args: ['/bin/short-lived'] })
  execFileSync('cp', ['/bin/busybox', `${bundle.rootfs}/bin/short-lived`])
  const { id, result } = await t.create(bundle)
  rmSync(`${bundle.rootfs}/bin/short-lived`)
  await t.ok(['start', id])
  await t.waitForStatus(id, 'stopped')
  expect(result.errors()).toMatch(/\/bin\/short-lived.*no such file or directory/)
})

it('arguments that are too long for the kernel are the failure of the container', async () => {
  const bundle = await t.bundle({ args: ['true', ...Array(70).fill('x'.repeat(100_000))] })
  const result = await t.run(bundle)
  expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/argument list too long/) })
  t.expectNothingLeft()
})

describe('what is found before anything is executed fails create and exec', () => {
  it.each([
    ['a directory', '/etc', isRunc ? /permission denied|is a directory/ : /: it is a directory: permission denied$/],
    ['a file below a file', '/bin/sh/program', /\/bin\/sh\/program: not a directory$/],
    ['not executable', '/etc/passwd', /permission denied$/],
    ['missing', '/bin/missing', /stat \/bin\/missing: no such file or directory$/],
    ['not in PATH', 'missing', /executable file not found in \$PATH$/],
    ['a directory in PATH', 'directory', /executable file not found in \$PATH$/],
  ])('%s', async (_, command, text) => {
    const bundle = await t.bundle({ args: ['sleep', '1000'] })
    mkdirSync(`${bundle.rootfs}/bin/directory`)
    const { id } = await t.running(bundle)
    for (const flags of [[], ['--detach']]) {
      const result = await t.runtime(['exec', ...flags, id, command])
      expect(result.exitCode).toBe(255)
      expect(messageOf(result)).toMatch(text)
    }
    bundle.writeConfig({ ...bundle.spec, process: { ...bundle.spec.process, args: [command] } })
    const created = await t.runtime(['create', '--bundle', bundle.path, t.id()])
    expect(created.exitCode).toBe(1)
    expect(messageOf(created)).toMatch(text)
  })
})
