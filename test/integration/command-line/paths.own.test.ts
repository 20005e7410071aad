/** Paths of the caller that lead to nothing usable: each is in the sentence. */
import { execFileSync } from 'node:child_process'
import { lstatSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { expectOneSentence } from '../../support/one-sentence.ts'
import { requires } from '../../support/requires.ts'
import { invoke } from '../../support/runtime.ts'

requires('root', 'own-runtime')
const t = useContainers()

describe('paths of the caller', () => {
  it('a root that is a file', async () => {
    const bundle = await t.bundle()
    const root = join(t.hostDirectory(), 'file')
    writeFileSync(root, '')
    expectOneSentence(await invoke(['--root', root, 'create', '--bundle', bundle.path, t.id()]), new RegExp(root))
    // Whoever is told that the container does not exist takes it for removed.
    for (const args of [['state'], ['start'], ['kill'], ['delete'], ['delete', '--force'], ['pause'], ['ps']])
      expectOneSentence(
        await invoke(['--root', root, ...args, 'some-id']),
        new RegExp(`^read the runtime root ${root}: not a directory\n$`),
      )
  })

  it('a root below /proc', async () => {
    const bundle = await t.bundle()
    expectOneSentence(
      await invoke(['--root', '/proc/none/root', 'create', '--bundle', bundle.path, t.id()]),
      /\/proc\/none/,
    )
  })

  it('a log that cannot be opened', async () => {
    expectOneSentence(
      await t.runtime(['--log', '/no/such/log', 'state', 'x']),
      /\/no\/such\/log.*no such file or directory/,
    )
  })

  it('a pid file that cannot be written', async () => {
    const bundle = await t.bundle()
    const result = await t.runtime(['create', '--pid-file', '/no/such/pid', '--bundle', bundle.path, t.id()])
    expectOneSentence(result, /\/no\/such\/pid.*no such file or directory/)
    t.expectNothingLeft()
  })

  it('a pid file that is a device or a fifo, or a link to one, which stays what it is', async () => {
    const fifo = join(t.hostDirectory(), 'fifo')
    const link = `${fifo}-link`
    execFileSync('mkfifo', [fifo])
    symlinkSync(fifo, link)
    const bundle = await t.bundle()
    for (const path of [fifo, link]) {
      const result = await t.runtime(['create', '--pid-file', path, '--bundle', bundle.path, t.id()])
      expectOneSentence(result, /\/fifo\S*: it is not a regular file: give another path\n$/)
    }
    expect(lstatSync(fifo).isFIFO()).toBe(true)
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    t.expectNothingLeft()
  })

  it('a console socket nobody listens on', async () => {
    const bundle = await t.bundle({ process: { terminal: true } })
    const result = await t.runtime(['create', '--console-socket', '/no/such/socket', '--bundle', bundle.path, t.id()])
    expectOneSentence(result, /\/no\/such\/socket/)
    t.expectNothingLeft()
  })

  it('an explicit root that is missing, for list', async () => {
    const result = await invoke(['--root', '/no/such/root', 'list'])
    expectOneSentence(result, /^read the runtime root \/no\/such\/root: no such file or directory\n$/)
  })

  it('a bundle that is a file', async () => {
    const result = await t.runtime(['create', '--bundle', '/dev/null', t.id()])
    expectOneSentence(
      result,
      /^read \/dev\/null\/config\.json: not a directory: make one with `crio-lxc spec`, or give the right --bundle\n$/,
    )
  })
})
