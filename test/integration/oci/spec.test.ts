import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { invoke } from '../../support/runtime.ts'
import type { Spec } from '../../support/spec.ts'

requires('root')
const t = useContainers()

describe('spec', () => {
  it.each(['', '--rootless'])('writes the config.json of runc spec %s but for ociVersion', async (flags) => {
    const [ours, runcs] = [t.hostDirectory(), t.hostDirectory()]
    const args = ['spec', ...flags.split(' ').filter(Boolean)]
    await invoke(args, { cwd: ours })
    await execa('runc', args, { cwd: runcs })
    const read = (directory: string) =>
      JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')) as Partial<Spec>
    const { ociVersion, ...written } = read(ours)
    const { ociVersion: runcsVersion, ...expected } = read(runcs)
    expect(written).toEqual({ ...expected, hostname: written.hostname })
    expect(ociVersion).toMatch(/^1\.\d+\.\d+/)
    expect(runcsVersion).toBeDefined()
  })

  it.each(['--bundle', '-b'])('%s writes into that directory', async (flag) => {
    const directory = t.hostDirectory()
    expect(await invoke(['spec', flag, directory])).toMatchObject({ exitCode: 0, stdout: '', stderr: '' })
    expect(existsSync(join(directory, 'config.json'))).toBe(true)
  })

  it('does not overwrite a config.json', async () => {
    const directory = t.hostDirectory()
    writeFileSync(join(directory, 'config.json'), 'mine')
    const result = await invoke(['spec'], { cwd: directory })
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/config\.json exists/)
    expect(readFileSync(join(directory, 'config.json'), 'utf8')).toBe('mine')
  })

  it('makes a bundle that runs as it is, but for the terminal', async () => {
    const result = await t.run({ args: ['sh', '-c', 'echo "$TERM $PATH"'] })
    expect(result.stdout).toBe('xterm /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n')
  })
})
