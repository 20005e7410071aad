/** The same where runc has nothing to compare with: texts, filters, a stderr that takes nothing. */
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { writeRefusedPrograms } from '../../support/refused-programs.ts'
import { requires } from '../../support/requires.ts'
import { runtimePath } from '../../support/runtime.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()

it('is in the log, and poststart hooks run as after any program that has ended', async () => {
  const directory = t.hostDirectory()
  const bundle = await t.bundle({
    args: ['/opt/crlf'],
    spec: (spec) => {
      spec.hooks = { poststart: [{ path: '/bin/touch', args: ['touch', `${directory}/hook`] }] }
    },
  })
  writeRefusedPrograms(bundle.rootfs)
  const { id } = await t.create(bundle)
  await t.ok(['--log-file', `${directory}/log`, '--log-level', 'info', 'start', id])
  expect((await t.state(id)).status).toBe('stopped')
  expect(readFileSync(`${directory}/log`, 'utf8')).toMatch(/crlf.*its lines end with CRLF/)
  expect(readFileSync(`${directory}/hook`, 'utf8')).toBe('')
})

it('what the image names cannot steer a terminal', async () => {
  const bundle = await t.bundle({ args: ['/opt/script'] })
  writeRefusedPrograms(bundle.rootfs)
  writeFileSync(`${bundle.rootfs}/opt/script`, '#!/no\x1b[31m\x07\u009b/such\n', { mode: 0o755 })
  const { stderr, exitCode } = await t.run(bundle)
  expect(exitCode).toBe(1)
  expect(stderr).toContain('"/no\\u001b[31m\\u0007')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what may not be there
  expect(stderr.trimEnd()).not.toMatch(/[\0-\x1f\x7f-\x9f]/)
})

it('an interpreter that is a link to itself, a script that is its own, and headers that lie end the look', async () => {
  const bundle = await t.bundle({ args: ['sleep', '1000'] })
  writeRefusedPrograms(bundle.rootfs)
  writeFileSync(`${bundle.rootfs}/opt/own`, '#!/opt/own\n', { mode: 0o755 })
  const lying = Buffer.alloc(200, 0xff)
  lying.write('\x7fELF\x02\x01', 'latin1')
  writeFileSync(`${bundle.rootfs}/opt/lying`, lying, { mode: 0o755 })
  lying[4] = 1
  lying[5] = 2
  writeFileSync(`${bundle.rootfs}/opt/lying-too`, lying, { mode: 0o755 })
  writeFileSync(`${bundle.rootfs}/opt/cut`, '\x7fELF', { mode: 0o755 })
  const { id } = await t.running(bundle)
  expect((await t.runtime(['exec', id, '/opt/own'])).stderr).toMatch(
    /"\/opt\/own": too many levels of symbolic links$/m,
  )
  for (const name of ['lying', 'lying-too', 'cut'])
    expect(await t.runtime(['exec', id, `/opt/${name}`])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/exec format error/),
    })
})

it("the look stays in the container, and opens nothing that is no file of the image's", async () => {
  const bundle = await t.bundle({ args: ['sleep', '1000'] })
  writeRefusedPrograms(bundle.rootfs)
  const program = (name: string, interpreter: string): void =>
    writeFileSync(`${bundle.rootfs}/opt/${name}`, `#!${interpreter}\n`, { mode: 0o755 })
  // There on the host, and a link that leads there.
  program('of-the-host', '/usr/bin/dpkg')
  symlinkSync('/usr/bin/dpkg', `${bundle.rootfs}/opt/link`)
  program('by-a-link', '/opt/link')
  program('fifo', '/opt/interpreter')
  execFileSync('mkfifo', ['-m', '777', `${bundle.rootfs}/opt/interpreter`])
  const { id } = await t.running(bundle)
  const said = async (name: string): Promise<string> => (await t.runtime(['exec', id, `/opt/${name}`])).stderr
  expect(await said('of-the-host')).toMatch(/"\/usr\/bin\/dpkg", which is not in the container/)
  expect(await said('by-a-link')).toMatch(/"\/opt\/link", which is not in the container/)
  expect(await said('fifo')).toMatch(/permission denied: its interpreter "\/opt\/interpreter" may not be executed/)
})

it('a stderr that nobody reads holds neither start nor the container', async () => {
  const bundle = await t.bundle({ args: ['/opt/crlf'] })
  writeRefusedPrograms(bundle.rootfs)
  const id = t.id()
  // The pipe is full before create inherits it, and its reader sleeps.
  const script = `exec 2> >(exec sleep 1000); head -c 65536 /dev/zero >&2; exec "$0" "$@"`
  const args = ['--root', t.root, 'create', '--bundle', bundle.path, id]
  const create = spawn('bash', ['-c', script, runtimePath, ...args], { stdio: 'ignore', detached: true })
  t.defer(() => void process.kill(-(create.pid ?? 0), 'SIGKILL'))
  await waitFor(() => create.exitCode !== null)
  expect(create.exitCode).toBe(0)
  const result = await t.ok(['start', id])
  expect(result.stderr).toMatch(
    /^warning: tell the container's stderr that exec: "\/opt\/crlf": .*longer than 1000 ms\n$/,
  )
  expect((await t.state(id)).status).toBe('stopped')
})

it.each([
  ['exit_group', 'the process ends all the same'],
  ['ppoll', 'start does not wait for it'],
  ['write', 'start takes it for executed'],
])('linux.seccomp without %s: %s', async (name) => {
  const bundle = await t.bundle({
    args: ['/opt/crlf'],
    spec: (spec) => {
      const syscalls = [{ names: [name], action: 'SCMP_ACT_ERRNO' }]
      spec.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls }
    },
  })
  writeRefusedPrograms(bundle.rootfs)
  const { id } = await t.create(bundle)
  await t.ok(['start', id])
  await t.waitForStatus(id, 'stopped')
})

it('is said in a user namespace', async () => {
  const ids = [{ containerID: 0, hostID: 100_000, size: 65_536 }]
  const bundle = await t.bundle({
    args: ['/opt/missing-loader'],
    spec: ({ linux }) => {
      linux.namespaces.push({ type: 'user' })
      Object.assign(linux, { uidMappings: ids, gidMappings: ids })
    },
  })
  writeRefusedPrograms(bundle.rootfs)
  const { id, result } = await t.create(bundle)
  await t.ok(['start', id])
  expect((await t.state(id)).status).toBe('stopped')
  expect(result.errors()).toMatch(/needs the loader "\/lib\/ld-of-another-libc.so"/)
})
