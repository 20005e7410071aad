import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { hasApiExtension, liblxcExtensions, liblxcVersion } from '@crio-lxc/core/liblxc/library'
import { LxcContainer } from '@crio-lxc/core/liblxc/lxc-container'
import { afterAll, describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { runtimePath } from '../../support/runtime.ts'

// liblxc of this host in this very process: it parses, and starts nothing.
requires('root', 'own-runtime')
const t = useContainers()
afterAll(() => rmSync(`/run/lxc/lock${t.directory}`, { recursive: true, force: true }))

/** A handle with the config that debug plan prints of a bundle, for its own log a file of the test's. */
async function handle(): Promise<LxcContainer> {
  const bundle = await t.bundle()
  const { lxcConfig } = JSON.parse((await t.ok(['debug', 'plan', '--json', bundle.path])).stdout) as {
    lxcConfig: string
  }
  const path = join(t.hostDirectory(), 'config')
  writeFileSync(path, lxcConfig.replace(/^lxc\.log\.file = .*$/m, `lxc.log.file = ${path}.log`))
  const container = new LxcContainer(t.id(), join(t.directory, 'lxc'))
  t.defer(() => container.close())
  container.loadConfig(path)
  return container
}

describe('LxcContainer', () => {
  it('knows keys and values, and that no monitor answers', async () => {
    const container = await handle()
    expect(container.keys()).toEqual(expect.arrayContaining(['lxc.rootfs.path', 'lxc.init.cmd', 'lxc.idmap']))
    expect(container.getConfigItem('lxc.no.such.key')).toBeUndefined()
    expect(container.isDefined()).toBe(false)
    expect(container.state()).toBe('STOPPED')
    expect(container.initPid()).toBeUndefined()
    expect(container.errorNumber).toBe(0)
  })

  it('refuses to be used when it is closed, and may be closed twice', () => {
    const container = new LxcContainer(t.id(), join(t.directory, 'lxc'))
    container.close()
    container.close()
    expect(() => container.keys()).toThrow('it has been closed')
  })
})

/** Every name that the file of the library might know as one of an extension; a text's end may be another text. */
function texts(): string[] {
  const maps = readFileSync('/proc/self/maps', 'utf8')
  const [path = ''] = /\/\S*\/liblxc\.so\S*/.exec(maps) ?? []
  const whole = readFileSync(path, 'latin1').match(/[a-z][a-z0-9_]+(?=\0)/g) ?? []
  return [...new Set(whole.flatMap((text) => [text, ...[...text].map((_, at) => text.slice(at + 1))]))]
}

describe('the library', () => {
  it('is the one that crio-lxc-start is linked with', () => {
    const start = join(dirname(runtimePath), '../libexec/crio-lxc/crio-lxc-start')
    expect(execFileSync(start, ['--version'], { encoding: 'utf8' })).toBe(`liblxc ${liblxcVersion()}\n`)
  })

  it('has extensions of those that are known, and no others', () => {
    expect(liblxcExtensions()).toContain('pidfd')
    expect(hasApiExtension('no-such-extension')).toBe(false)
    expect(texts().filter(hasApiExtension).sort()).toEqual(liblxcExtensions().sort())
  })
})
