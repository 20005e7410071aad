import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { log, openLog } from '@crio-lxc/core/host/log/logger'
import { afterEach, beforeEach, expect, it } from 'vitest'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'open-log-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const lines = (name: string): unknown[] =>
  readFileSync(join(directory, name), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const { l, m, cid, cmd } = JSON.parse(line)
      return [l, m, cid, cmd]
    })

it('several loggers are open at once, each with its file, level and fields', async () => {
  const one = await openLog({ file: join(directory, 'one'), containerId: 'a', command: 'first' })
  const two = await openLog({ file: join(directory, 'two'), containerId: 'b', command: 'second', level: 'debug' })
  one.log.debug('too little')
  one.log.info('of one')
  two.log.debug('of two')
  log.error('of the process, which has no file')
  one.close()
  one.log.error('too late')
  two.log.warn('still open')
  two.close()
  expect(lines('one')).toEqual([['info', 'of one', 'a', 'first']])
  expect(lines('two')).toEqual([
    ['debug', 'of two', 'b', 'second'],
    ['warn', 'still open', 'b', 'second'],
  ])
})

it('names the file that cannot be opened', async () => {
  await expect(openLog({ runcLog: join(directory, 'runc'), file: '/no/such/directory/log' })).rejects.toThrow(
    '/no/such/directory/log',
  )
})
