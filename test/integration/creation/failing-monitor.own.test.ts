/** Something in the place of crio-lxc-start that fails. */
import { chmodSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { expectOneSentence } from '../../support/one-sentence.ts'
import { requires } from '../../support/requires.ts'
import { runtimePath } from '../../support/runtime.ts'

requires('root', 'own-runtime')
const t = useContainers()
const start = resolve(dirname(runtimePath), '../libexec/crio-lxc/crio-lxc-start')

describe('a monitor that fails', () => {
  /** A program in the place of crio-lxc-start. */
  function startCommand(script: string): string {
    const path = join(t.hostDirectory(), 'start')
    writeFileSync(path, `#!/bin/sh\n${script}\n`)
    chmodSync(path, 0o755)
    return path
  }

  it('ends at once: create says so and leaves nothing', async () => {
    const bundle = await t.bundle()
    expectOneSentence(await t.attemptCreate(bundle, { global: ['--start-cmd', startCommand('exit 3')] }), /monitor/)
    t.expectNothingLeft()
  })

  it('is killed: create says so and leaves nothing', async () => {
    const bundle = await t.bundle()
    expectOneSentence(
      await t.attemptCreate(bundle, { global: ['--start-cmd', startCommand('kill -KILL $$')] }),
      /monitor/,
    )
    t.expectNothingLeft()
  })

  it('never reports: create gives up after --create-timeout and leaves nothing', async () => {
    const bundle = await t.bundle()
    const global = ['--start-cmd', startCommand('exec sleep 1000'), '--create-timeout', '500ms']
    const result = await t.attemptCreate(bundle, { global })
    expectOneSentence(result, /500 ?ms|timeout|longer/)
    expect(result.durationMs).toBeLessThan(5000)
    t.expectNothingLeft()
  })

  it('does not exist: create names it and leaves nothing', async () => {
    const bundle = await t.bundle()
    expectOneSentence(
      await t.attemptCreate(bundle, { global: ['--start-cmd', '/no/such/start'] }),
      /\/no\/such\/start|monitor/,
    )
    t.expectNothingLeft()
  })

  it('liblxc fails: its own last error line is in the message', async () => {
    const bundle = await t.bundle()
    // Silent on stderr: what liblxc says can reach the message only through its log, which create reads.
    const edit = 's#^lxc.rootfs.path.*#lxc.rootfs.path = dir:/no/such/stage#'
    const script = `sed '${edit}' "$3" >"$0.config"; exec ${start} "$1" "$2" "$0.config" 2>/dev/null`
    expectOneSentence(
      await t.attemptCreate(bundle, { global: ['--start-cmd', startCommand(script)] }),
      /^liblxc could not start the container: lxc_rootfs_init: .*\/no\/such\/stage/,
    )
    t.expectNothingLeft()
  })
})
