import { existsSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { expectOneSentence } from '../../support/one-sentence.ts'
import { requires } from '../../support/requires.ts'
import { messageOf, runtimePath } from '../../support/runtime.ts'
import { onTerminal } from '../../support/terminal-session.ts'

requires('root', 'own-runtime')
const t = useContainers()

describe('logs', () => {
  it('shows what was done with a container, from before a rotation as well, and adds nothing', async () => {
    const path = join(t.hostDirectory(), 'log')
    const flags = ['--log-file', path]
    const { id } = await t.create({ args: ['sleep', '1000'] })
    await t.ok([...flags, 'start', id])
    renameSync(path, `${path}.1`)
    await t.runtime([...flags, 'start', id])
    await t.runtime([...flags, 'start', 'another'])
    const { stdout } = await t.ok([...flags, 'logs', id])
    expect(stdout.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} info {2}start {2}start ends with exit code 0 \(/),
      expect.stringMatching(
        /^\S+ \S+ error start {2}cannot start an already running container.* \(exit code 1, [\d.]+ ms\)$/,
      ),
    ])
    const all = await t.ok([...flags, 'logs'])
    expect(all.stdout.match(/^.* another start .*does not exist/m)).not.toBeNull()
    expect((await t.ok([...flags, 'logs', '-n', '1', id])).stdout).toContain('already running')
    expect((await t.ok([...flags, 'logs', '--json', '-n', '1', id])).stdout).toBe(
      t
        .read(path)
        .split('\n')
        .filter((line) => line.includes(id))
        .map((line) => `${line}\n`)
        .join(''),
    )
    expect((await t.ok([...flags, 'logs', id])).stdout).toBe(stdout)
  })

  it('is coloured on a terminal, with nothing that anybody else has written there', async () => {
    const path = join(t.hostDirectory(), 'log')
    const record = { l: 'error', m: 'bad \x1b[2J word', cid: 'web', cmd: 'create', t: '20260101000000.000' }
    writeFileSync(path, `no JSON\n${JSON.stringify(record)}\n{"l":1}\n`)
    const plain = await t.ok(['--log-file', path, 'logs', 'web'])
    expect(plain.stdout).toBe('2026-01-01 00:00:00.000 error create bad \\u001b[2J word\n')
    const env = { PATH: process.env.PATH ?? '', TERM: 'xterm' }
    const terminal = onTerminal([runtimePath, '--log-file', path, 'logs', 'web'], { env })
    expect(await terminal.exitCode).toBe(0)
    expect(terminal.screen()).toBe(`\x1b[1;31m${plain.stdout.trimEnd()}\x1b[0m\r\n`)
  })

  it('makes no log that is not there, says so, and reads the one before alone', async () => {
    const path = join(t.hostDirectory(), 'log')
    const flags = ['--log-file', path]
    expectOneSentence(
      await t.runtime([...flags, 'logs']),
      RegExp(
        `^read the log ${path}: no such file or directory: no verb has written there yet, or --log-file is to name another$`,
        'm',
      ),
    )
    expect(existsSync(path)).toBe(false)
    await t.runtime([...flags, 'start', 'another'])
    renameSync(path, `${path}.1`)
    expect((await t.ok([...flags, 'logs'])).stdout).toMatch(/ another start /)
    expect(existsSync(path)).toBe(false)
  })

  it('says that no log is kept, and what is no file', async () => {
    const none = await t.runtime(['logs', 'web'])
    expect(none.exitCode).toBe(1)
    expect(messageOf(none)).toMatch(/^no log file is named: give --log-file/)
    const device = await t.runtime(['logs', 'web'], { env: { CRIO_LXC_LOG_FILE: '/dev/null' } })
    expect(device.exitCode).toBe(1)
    expect(messageOf(device)).toBe('read the log /dev/null: it is no file')
  })
})
