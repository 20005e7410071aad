import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { closeLogging, configureLogging, log, logContainer, takesDebug } from '@crio-lxc/core/host/log/logger'
import { phaseLog } from '@crio-lxc/core/host/log/phase-log'
import { jsonLine, textLine } from '@crio-lxc/core/host/log/runc-sink'
import type { Sink } from '@crio-lxc/core/host/log/sink'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

let dir: string

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'crio-lxc-log-'))
})

afterEach(async () => {
  await configureLogging({})
  rmSync(dir, { recursive: true })
})

function lines(name: string): string[] {
  return readFileSync(join(dir, name), 'utf8').split('\n').slice(0, -1)
}

function records(name: string): Record<string, unknown>[] {
  return lines(name).map((line) => JSON.parse(line))
}

describe('--log', () => {
  const time = new Date('2026-01-02T03:04:05.678Z')

  test("jsonLine() is what containerd's shim decodes", () => {
    expect(jsonLine('error', 'it "failed"\nhere', time)).toBe(
      '{"level":"error","msg":"it \\"failed\\"\\nhere","time":"2026-01-02T03:04:05.678Z"}\n',
    )
  })

  test('jsonLine() says which kind of failure it was', () => {
    expect(jsonLine('error', 'it failed', time, 'hook-failed')).toBe(
      '{"level":"error","msg":"it failed","time":"2026-01-02T03:04:05.678Z","errorCode":"hook-failed"}\n',
    )
  })

  test("textLine() is logrus' text", () => {
    expect(textLine('warn', 'a "b"', time)).toBe('time="2026-01-02T03:04:05Z" level=warning msg="a \\"b\\""\n')
  })

  test('has errors, warnings and messages, and debug messages when asked for', async () => {
    for (const debug of [false, true]) {
      await configureLogging({ runcLog: join(dir, `${debug}`), runcFormat: 'json', debug })
      log.debug('d')
      log.info('i')
      log.warn('w')
      log.error('e')
    }
    expect(records('false').map(({ msg }) => msg)).toEqual(['i', 'w', 'e'])
    expect(records('true').map(({ msg }) => msg)).toEqual(['d', 'i', 'w', 'e'])
  })

  test('is appended to', async () => {
    for (const message of ['one', 'two']) {
      await configureLogging({ runcLog: join(dir, 'log') })
      log.error(message)
    }
    expect(lines('log')).toHaveLength(2)
  })

  test('that cannot be opened is an error with its name', async () => {
    await expect(configureLogging({ runcLog: join(dir, 'no/log') })).rejects.toThrow(
      `open --log ${dir}/no/log: no such file or directory: make its directory first`,
    )
  })
})

describe("the seed's log file", () => {
  test('has exactly the fields of the seed', async () => {
    const before = Date.now()
    await configureLogging({
      file: join(dir, 'log'),
      command: 'create',
      containerId: 'c1',
      timestamp: '2006-01-02T15:04:05.000Z07:00',
    })
    log.info('hello %s', { c: 'cgroup' })
    const [record, ...others] = records('log')
    expect(others).toEqual([])
    expect(record).toEqual({
      l: 'info',
      m: 'hello %s',
      c: 'cgroup',
      cid: 'c1',
      cmd: 'create',
      t: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    })
    expect(Date.parse(String(record?.['t']))).toBeGreaterThanOrEqual(before)
    expect(Date.parse(String(record?.['t']))).toBeLessThanOrEqual(Date.now())
  })

  test('names the container from when it is known, and keeps more fields', async () => {
    await configureLogging({ file: join(dir, 'log'), command: 'kill', timestamp: '' })
    log.warn('one')
    logContainer('c2')
    log.error('two', { pid: 7 })
    expect(records('log')).toEqual([
      { l: 'warn', m: 'one', c: 'crio-lxc', cmd: 'kill', t: '' },
      { l: 'error', m: 'two', c: 'crio-lxc', cid: 'c2', cmd: 'kill', t: '', pid: 7 },
    ])
  })

  test.each([
    ['trace', ['d', 'i', 'w', 'e']],
    ['debug', ['d', 'i', 'w', 'e']],
    ['info', ['i', 'w', 'e']],
    ['warn', ['w', 'e']],
    ['error', ['e']],
    ['fatal', []],
    ['panic', []],
    ['disabled', []],
  ] as const)('level %s takes %j', async (level, messages) => {
    await configureLogging({ file: join(dir, 'log'), level })
    log.debug('d')
    log.info('i')
    log.warn('w')
    log.error('e')
    expect(records('log').map(({ m }) => m)).toEqual(messages)
  })

  test('that cannot be opened is an error with its name, after --log is in use', async () => {
    const configured = configureLogging({ runcLog: join(dir, 'log'), file: join(dir, 'no/log') })
    await expect(configured).rejects.toThrow(`open --log-file ${dir}/no/log: no such file or directory`)
    log.error('reason')
    expect(lines('log')).toHaveLength(1)
  })

  test('is not readable by everybody', async () => {
    await configureLogging({ file: join(dir, 'log') })
    expect(statSync(join(dir, 'log')).mode & 0o007).toBe(0)
  })
})

test('without configuration nothing is written', async () => {
  await configureLogging({ file: join(dir, 'log') })
  await configureLogging({})
  log.error('lost')
  expect(lines('log')).toEqual([])
})

describe('the sink of last resort', () => {
  function recorder(least: Sink['least']): { sink: Sink; taken: string[] } {
    const taken: string[] = []
    return { taken, sink: { least, write: (level, message) => void taken.push(`${level} ${message}`) } }
  }

  test('takes the lines when no file is named, from its level on', async () => {
    const { sink, taken } = recorder('warn')
    await configureLogging({ fallback: sink })
    log.info('i')
    log.warn('w')
    expect(taken).toEqual(['warn w'])
  })

  test.each(['runcLog', 'file'] as const)('takes nothing when %s is named', async (name) => {
    const { sink, taken } = recorder('debug')
    await configureLogging({ [name]: join(dir, 'log'), fallback: sink })
    log.warn('w')
    expect(taken).toEqual([])
    expect(lines('log')).toHaveLength(1)
  })
})

test('closeLogging() closes the files and says nothing more', async () => {
  const open = () => readdirSync('/proc/self/fd').length
  const before = open()
  await configureLogging({ runcLog: join(dir, 'runc'), file: join(dir, 'seed') })
  expect(open()).toBe(before + 2)
  await configureLogging({ runcLog: join(dir, 'runc'), file: join(dir, 'seed') })
  expect(open()).toBe(before + 2)
  closeLogging()
  expect(open()).toBe(before)
  log.error('lost')
  expect([...lines('runc'), ...lines('seed')]).toEqual([])
})

describe('phaseLog()', () => {
  test('gives each step its duration and its component', async () => {
    await configureLogging({ file: join(dir, 'log'), level: 'debug' })
    const done = phaseLog('create')
    done('one', 'first')
    done('two', 'second', { pid: 7 })
    expect(records('log')).toMatchObject([
      { l: 'debug', m: expect.stringMatching(/^first \(\d+(\.\d)? ms\)$/), c: 'create', ms: expect.any(Number) },
      { l: 'debug', m: expect.stringMatching(/^second \(\d+(\.\d)? ms\)$/), c: 'create', pid: 7 },
    ])
  })

  test('does nothing when no sink takes debug messages', async () => {
    await configureLogging({ file: join(dir, 'log'), level: 'info' })
    expect(takesDebug()).toBe(false)
    phaseLog('create')('one', 'first')
    expect(lines('log')).toEqual([])
  })
})
