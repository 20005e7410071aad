/** An image whose program the kernel refuses: what a person sees of it, and what podman does about it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { elf } from '../../support/refused-programs.ts'
import { isRunc } from '../../support/runtime.ts'
import { waitFor } from '../../support/wait-for.ts'
import { usePodman } from '../support/podman.ts'

const podman = usePodman()

/** A volume with the programs. */
function programs(): { readonly directory: string; readonly volume: string[] } {
  const directory = podman.hostDirectory()
  const program = (name: string, content: string | Buffer): void =>
    writeFileSync(join(directory, name), content, { mode: 0o755 })
  program('foreign', elf({ machine: 'foreign' }))
  program('script', '#!/no/such/interpreter\n')
  return { directory, volume: ['--volume', `${directory}:/opt`] }
}

describe('a program of another architecture', () => {
  it('is what podman run says, with the exit code of the process', async () => {
    const result = await podman.run(programs().volume, ['/opt/foreign'])
    expect(result).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringMatching(/exec format error/) })
    if (!isRunc) expect(result.stderr).toMatch(/arm64 \(aarch64\).*amd64 \(x86-64\)/)
  })

  it('is what podman logs says of a container that has exited', async () => {
    const name = await podman.detached(programs().volume, ['/opt/foreign'])
    expect(await podman.ok(['wait', name])).toBe('1')
    expect(await podman.state(name)).toMatchObject({ Status: 'exited', ExitCode: 1 })
    expect((await podman.call(['logs', name])).stderr).toMatch(/exec.*\/opt\/foreign.*exec format error/)
    await podman.ok(['rm', name])
  })

  it('is what a terminal shows', async () => {
    const name = podman.name()
    const flags = ['--rm', '--interactive', '--tty', '--name', name, ...programs().volume]
    const session = podman.onTerminal(podman.runArguments(flags, ['/opt/foreign']))
    expect(await session.exitCode).toBe(1)
    expect(session.screen()).toMatch(/exec format error/)
  })

  it('is started again by --restart', async () => {
    const name = await podman.detached(['--restart', 'on-failure:2', ...programs().volume], ['/opt/foreign'])
    await waitFor(async () => (await podman.ok(['inspect', '--format', '{{.RestartCount}}', name])) === '2', {
      timeoutMs: 20_000,
      what: `${name} to be started again`,
    })
    await podman.ok(['wait', name])
    expect((await podman.call(['logs', name])).stderr.match(/exec format error/g)).toHaveLength(3)
    await podman.ok(['rm', '--force', '--time', '0', name])
  })
})

describe('podman exec', () => {
  it.each([
    ['/opt/foreign', 1, /exec format error/],
    ['/opt/script', 1, /no such file or directory/],
    ['/opt', 126, /permission denied|is a directory/],
    ['/opt/missing', 127, /no such file or directory/],
    ['missing', 127, /executable file not found in/],
  ])('%s: exit code %i', async (command, exitCode, text) => {
    const name = await podman.detached(programs().volume, ['sleep', '1000'])
    expect(await podman.call(['exec', name, command])).toMatchObject({ exitCode, stderr: expect.stringMatching(text) })
    await podman.ok(['rm', '--force', '--time', '0', name])
  })

  it('of a program that is refused shows it on its terminal', async () => {
    const name = await podman.detached(programs().volume, ['sleep', '1000'])
    const session = podman.onTerminal(['exec', '--tty', '--interactive', name, '/opt/script'])
    expect(await session.exitCode).toBe(1)
    expect(session.screen()).toMatch(/no such file or directory/)
    await podman.ok(['rm', '--force', '--time', '0', name])
  })
})
