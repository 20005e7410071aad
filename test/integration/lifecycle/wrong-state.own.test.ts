/** Verbs that come too early, too late or for nobody: one sentence each, in the words that callers look for. */
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { expectOneSentence } from '../../support/one-sentence.ts'
import { requires } from '../../support/requires.ts'

requires('root', 'own-runtime')
const t = useContainers()

describe('the wrong state', () => {
  it.each<[string, string[], RegExp, number]>([
    ['created', ['exec', 'ID', 'true'], /^$/, 0],
    ['running', ['start', 'ID'], /cannot start an already running container/, 1],
    ['running', ['delete', 'ID'], /cannot delete container .*not stopped/, 1],
    ['stopped', ['start', 'ID'], /cannot start a container that has stopped/, 1],
    ['stopped', ['kill', 'ID'], /container not running/, 1],
    ['stopped', ['exec', 'ID', 'true'], /cannot exec in a stopped container/, 255],
  ])('%s: %j', async (status, args, text, exitCode) => {
    const container = await { created: () => t.create(), running: () => t.running(), stopped: () => t.stopped() }[
      status as 'created'
    ]()
    const result = await t.runtime(args.map((arg) => (arg === 'ID' ? container.id : arg)))
    if (exitCode === 0) expect(result).toMatchObject({ exitCode: 0, stderr: '' })
    else expectOneSentence(result, text, exitCode)
  })

  it.each(['state', 'start', 'kill', 'delete'])('%s of an id that is not there', async (command) => {
    expectOneSentence(await t.runtime([command, 't-missing']), /container does not exist.*t-missing/)
  })

  it('exec of an id that is not there', async () => {
    expectOneSentence(await t.runtime(['exec', 't-missing', 'true']), /container does not exist.*t-missing/, 255)
  })

  it('create of an id that is there', async () => {
    const { id, bundle } = await t.create()
    expectOneSentence(
      await t.runtime(['create', '--bundle', bundle.path, id]),
      /container with given ID already exists/,
    )
  })
})
