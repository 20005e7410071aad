import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { runtimePath } from '../../support/runtime.ts'
import { onTerminal, type TerminalSize } from '../../support/terminal-session.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()

describe('top', () => {
  it('shows what every container uses', async () => {
    const busy = await t.running({
      args: ['sh', '-c', 'while :; do :; done'],
      spec: (spec) => {
        Object.assign(spec.linux.resources, {
          cpu: { quota: 20_000, period: 100_000 },
          memory: { limit: 64 << 20 },
          pids: { limit: 9 },
        })
      },
    })
    const idle = await t.running({ args: ['sh', '-c', 'sleep 1001 & sleep 1001'] })
    const stopped = await t.stopped()
    await t.ok(['pause', idle.id])
    const [header, ...lines] = (await t.ok(['top', '--interval', '500ms'])).stdout.trimEnd().split('\n')
    const cells = lines.map((line) => line.split(/ {2,}/))
    expect(header?.split(/ {2,}/)).toEqual(['ID', 'STATUS', 'CPU', 'MEMORY', 'PIDS'])
    expect(cells.map(([id]) => id)).toEqual([busy.id, idle.id].sort())
    expect(lines.join()).not.toContain(`${stopped.id} `)
    const [, status, cpu = '', memory, pids] = cells.find(([id]) => id === busy.id) ?? []
    expect([status, pids]).toEqual(['running', '1 / 9'])
    expect(Number.parseFloat(cpu)).toBeGreaterThan(3)
    expect(Number.parseFloat(cpu)).toBeLessThan(40)
    expect(memory).toMatch(/^\d+\.\d [KM]iB \/ 64\.0 MiB$/)
    const [, ...other] = cells.find(([id]) => id === idle.id) ?? []
    expect(other).toEqual(['paused', '0.0%', expect.stringMatching(/ \/ -$/), '2 / -'])
  })

  const env = { PATH: process.env.PATH ?? '', TERM: 'xterm' }
  const top = (size: TerminalSize, interval = '100ms') =>
    onTerminal([runtimePath, '--root', t.root, 'top', '--interval', interval], { env, size })

  it('keeps its header and its rows within a small terminal, and ends with q', async () => {
    for (let count = 0; count < 6; count++) await t.create()
    const terminal = top({ rows: 5, columns: 40 })
    const tables = (): string[] => terminal.screen().split('\x1b[H').slice(1, -1)
    await waitFor(() => tables().length > 2)
    const lines = (tables().at(-1) ?? '').replace('\x1b[J', '').trimEnd().split('\r\n')
    const shown = lines.map((line) => line.replace('\x1b[K', ''))
    expect(shown).toHaveLength(4)
    expect(shown[0]).toMatch(/^ID +STATUS/)
    expect(shown.at(-1)).toBe('... and 4 more')
    expect(shown.filter((line) => line.length >= 40)).toEqual([])
    terminal.type('q')
    expect(await terminal.exitCode).toBe(0)
  })

  const processes = (id: string, count: number) =>
    waitFor(async () => (await t.ok(['ps', '--format', 'json', id])).stdout.split(',').length === count)

  it('sorts by a key at once, without another look, and cuts ids to the width', async () => {
    const long = 'x'.repeat(60)
    const bundle = await t.bundle({ args: ['sh', '-c', 'sleep 1001 & sleep 1001 & sleep 1001'] })
    const id = `z-${t.id()}-${long}`
    t.defer(async () => void (await t.ok(['delete', '--force', id])))
    await t.ok(['run', '--detach', '--bundle', bundle.path, id])
    const { id: other } = await t.create()
    await processes(id, 3)
    const terminal = top({ rows: 24, columns: 80 }, '1h')
    const rows = async (header: string) => {
      await terminal.shows(header)
      const lines = (terminal.screen().split('\x1b[H').at(-1) ?? '')
        .split('\r\n')
        .map((line) => line.replace('\x1b[K', ''))
      expect(lines.filter((line) => line.length >= 80)).toEqual([])
      return lines.slice(1, 3).map((line) => line.split(' ')[0])
    }
    const names = [expect.stringMatching(/^z-.*x~$/), other]
    expect(await rows('PIDS')).toEqual(names.toReversed())
    terminal.type('p')
    expect(await rows('PIDS *')).toEqual(names)
    terminal.type('M')
    expect((await rows('MEMORY *')).toSorted()).toHaveLength(2)
    terminal.type('q')
    expect(await terminal.exitCode).toBe(0)
  })

  it('fills a terminal that has become larger at once, without another look', async () => {
    for (let count = 0; count < 6; count++) await t.create()
    const terminal = top({ rows: 5, columns: 60 }, '1h')
    await terminal.shows('... and 4 more')
    terminal.grow()
    await waitFor(
      () =>
        (
          terminal
            .screen()
            .split('\x1b[2J')
            .at(-1)
            ?.match(/ created /g) ?? []
        ).length === 6,
    )
    expect(terminal.screen().split('\x1b[2J').at(-1)).not.toContain('more')
    terminal.type('q')
    expect(await terminal.exitCode).toBe(0)
  })

  it('is a screen again when its job is continued', async () => {
    await t.create()
    const lines = '"$@" & job=$!; sleep 1; kill -STOP $job; sleep 0.3; stty icanon echo; kill -CONT $job; wait $job'
    // Not in the background of the terminal, where stty and modes would stop it.
    const command = [
      'sh',
      '-c',
      `trap '' TTOU TTIN; ${lines}`,
      'sh',
      runtimePath,
      '--root',
      t.root,
      'top',
      '--interval',
      '1h',
    ]
    const terminal = onTerminal(command, { env })
    await waitFor(() => terminal.screen().split('\x1b[2J').length === 3)
    expect(terminal.screen().split('\x1b[2J').at(-1)).toContain('ID ')
    terminal.type('\x03')
    await terminal.exitCode
  })

  it('has a row for what is damaged, and no numbers for what has no cgroup', async () => {
    const bundle = await t.bundle({ args: ['sleep', '1001'] })
    const id = t.id()
    t.defer(async () => void (await t.ok(['delete', '--force', id])))
    await t.ok(['--cgroup-manager', 'disabled', 'run', '--detach', '--bundle', bundle.path, id])
    const damaged = join(t.root, 'a-damaged')
    mkdirSync(damaged)
    writeFileSync(join(damaged, 'container.json'), '{')
    t.defer(() => rmSync(damaged, { recursive: true }))
    const { stdout, stderr } = await t.ok(['top', '--once', '--interval', '10ms'])
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['ID', 'STATUS', 'CPU', 'MEMORY', 'PIDS'],
      ['a-damaged', 'damaged', '-', '-', '-'],
      [id, 'running', '-', '-', '-'],
      [''],
    ])
    expect(stderr).toBe('')
  })

  it.each([undefined, '', 'dumb'])('prints one table on a terminal of the type %j', async (type) => {
    const { id } = await t.create()
    const { TERM: _, ...rest } = env
    const terminal = onTerminal([runtimePath, '--root', t.root, 'top', '--interval', '10ms'], {
      env: type === undefined ? rest : { ...rest, TERM: type },
    })
    expect(await terminal.exitCode).toBe(0)
    expect(terminal.screen()).toContain(id)
    expect(terminal.screen()).not.toContain('\x1b')
  })

  it('sorts the table that is printed once', async () => {
    await t.create()
    const { id } = await t.running({ args: ['sh', '-c', 'sleep 1001 & sleep 1001'] })
    await processes(id, 2)
    const lines = (await t.ok(['top', '--once', '--interval', '10ms', '--sort', 'pids'])).stdout.split('\n')
    expect(lines[0]).toMatch(/ PIDS \*$/)
    expect(lines[1]?.startsWith(`${id} `)).toBe(true)
  })

  it.each([
    ['q', 0],
    ['\x03', 130],
  ])('gives the terminal back as it was after %j, also between two looks', async (key, code) => {
    await t.create()
    const script = 'trap : INT; stty -a; "$@"; code=$?; stty -a; exit $code'
    const command = ['sh', '-c', script, 'sh', runtimePath, '--root', t.root, 'top', '--interval', '1h']
    const terminal = onTerminal(command, { env })
    await terminal.shows('created')
    terminal.type(key)
    expect(await terminal.exitCode).toBe(code)
    const modes = terminal.screen().match(/^.*\bicanon\b.*$/gm) ?? []
    expect(modes).toHaveLength(2)
    expect(modes[1]).toBe(modes[0])
    expect(terminal.screen().match(/ echo /g)).toHaveLength(2)
  })

  it('refreshes in a terminal until ^C', async () => {
    const { id } = await t.running()
    const terminal = top({ rows: 24, columns: 80 })
    /** What was on the screen after each look but the last, which may not be whole. */
    const tables = (): string[] => terminal.screen().split('\x1b[H').slice(1, -1)
    await waitFor(() => tables().length > 3)
    expect(tables()[0]).toMatch(/ID +STATUS +CPU +MEMORY +PIDS/)
    expect(tables()[2]).toMatch(new RegExp(`^${id} +running +\\d+\\.\\d%`, 'm'))
    await t.ok(['delete', '--force', id])
    await waitFor(() => tables().at(-1)?.includes(id) === false)
    terminal.type('\x03')
    expect(await terminal.exitCode).toBe(130)
  })
})
