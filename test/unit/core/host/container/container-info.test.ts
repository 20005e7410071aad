import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ErrExist, ErrNotExist } from '@crio-lxc/core/errors/container-errors'
import { readInitFacts, startStep } from '@crio-lxc/core/host/container/container-facts'
import { type ContainerFacts, ContainerInfo, type InitFacts } from '@crio-lxc/core/host/container/container-info'
import { createPidFile, decodeFileJSON } from '@crio-lxc/core/host/container/json-file'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { thrownBy } from '../../oci/spec-with.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'container-info-'))
})
afterEach(() => rmSync(root, { recursive: true }))

const mode = (path: string) => statSync(path).mode & 0o7777

function facts(): ContainerFacts {
  return {
    containerId: 'web',
    createdAt: '2026-01-02T03:04:05.678Z',
    runtimeRoot: root,
    bundlePath: '/srv/web',
    consoleSocket: '/run/console',
    pidFile: join(root, 'pid'),
    monitorCgroupDir: '/monitors/web',
    cgroupDir: '/web',
    seccomp: true,
    capabilities: false,
    apparmor: true,
    cgroupDevices: false,
    annotations: { 'a.b/c': 'd' },
    namespaces: [{ type: 'pid' }, { type: 'network', path: '/run/netns/x' }],
    rootfs: '/srv/web/rootfs',
    owner: 'root',
    ociVersion: '1.3.0',
    creator: { pid: 1, startTime: 2 },
    initExecutable: '3:4',
    madeCgroups: ['/sys/fs/cgroup/web'],
  }
}

const stored = () => ({ schemaVersion: 1, ...facts() })

function claimed(): ContainerInfo {
  const info = new ContainerInfo(root, 'web')
  info.create(facts())
  return info
}

describe('ContainerInfo', () => {
  test('create() writes container.json, load() reads every field back', () => {
    claimed()
    expect(readdirSync(join(root, 'web'))).toEqual(['container.json'])
    expect([mode(join(root, 'web')), mode(join(root, 'web/container.json'))]).toEqual([0o700, 0o600])
    expect(JSON.parse(readFileSync(join(root, 'web/container.json'), 'utf8'))).toEqual({ schemaVersion: 1, ...facts() })
    const loaded = new ContainerInfo(root, 'web')
    expect(loaded.load()).toMatchObject(facts())
    expect(loaded.facts).toMatchObject(facts())
  })

  test('create() of a taken id throws ErrExist, and changes nothing', () => {
    claimed()
    const taken = () => new ContainerInfo(root, 'web').create({ ...facts(), owner: 'other' })
    expect(thrownBy(taken)).toBeInstanceOf(ErrExist)
    expect(new ContainerInfo(root, 'web').load()).toMatchObject({ owner: 'root' })
    expect(readdirSync(root)).toEqual(['web'])
  })

  test('create() takes an id whose directory is empty', () => {
    mkdirSync(join(root, 'web'))
    expect(claimed().load()).toMatchObject(facts())
  })

  test('remove() leaves nothing', () => {
    claimed().remove()
    expect(readdirSync(root)).toEqual([])
  })

  test('load() reads a file of an older version, and one with fields of a later one', () => {
    const info = claimed()
    const { containerId, bundlePath, cgroupDir } = facts()
    const old = { schemaVersion: 1, containerId, bundlePath, cgroupDir, later: true }
    writeFileSync(join(root, 'web/container.json'), JSON.stringify(old))
    expect(info.load()).toMatchObject({
      runtimeRoot: root,
      seccomp: true,
      cgroupDevices: true,
      madeCgroups: [],
      creator: { pid: 0, startTime: 0 },
    })
  })

  test('load() of a directory without container.json throws ErrNotExist, and says what to do', () => {
    mkdirSync(join(root, 'web'))
    const error = thrownBy(() => new ContainerInfo(root, 'web').load())
    expect(error).toBeInstanceOf(ErrNotExist)
    expect(error).toMatchObject({ message: expect.stringMatching(/container\.json is missing: .*--force/) })
  })

  test.each([
    [{ containerId: 'web' }, 'it has version none, and this program knows 1'],
    [{ schemaVersion: 1 }, 'it is of the container without an id'],
  ])('load() of a file with no more than %j says what is missing', (content, problem) => {
    mkdirSync(join(root, 'web'), { mode: 0o700 })
    writeFileSync(join(root, 'web/container.json'), JSON.stringify(content), { mode: 0o600 })
    expect(thrownBy(() => new ContainerInfo(root, 'web').load())).toMatchObject({
      message: expect.stringContaining(problem),
    })
  })

  test('load() of a missing container throws ErrNotExist', () => {
    expect(thrownBy(() => new ContainerInfo(root, 'web').load())).toBeInstanceOf(ErrNotExist)
  })

  test.each([
    ['another version', (path: string) => writeFileSync(path, JSON.stringify({ schemaVersion: 2, ...facts() }))],
    [
      'another container',
      (path: string) => writeFileSync(path, JSON.stringify({ schemaVersion: 1, containerId: 'db' })),
    ],
    ['an empty file', (path: string) => writeFileSync(path, '')],
    ['half a file', (path: string) => writeFileSync(path, '{"schemaVersion": 1,')],
    ['a list', (path: string) => writeFileSync(path, '[]')],
    ['no cgroup', (path: string) => writeFileSync(path, JSON.stringify({ ...stored(), cgroupDir: undefined }))],
    ['the root cgroup', (path: string) => writeFileSync(path, JSON.stringify({ ...stored(), cgroupDir: '/' }))],
    [
      'a cgroup elsewhere',
      (path: string) => writeFileSync(path, JSON.stringify({ ...stored(), cgroupDir: '/a/../b' })),
    ],
    ['a directory', (path: string) => mkdirSync(path)],
    ['a fifo', (path: string) => execFileSync('mkfifo', [path])],
    ['a link', (path: string) => symlinkSync('/etc/passwd', path)],
    ['a dangling link', (path: string) => symlinkSync('/nowhere', path)],
    [
      'a file that others may write',
      (path: string) => {
        writeFileSync(path, JSON.stringify(stored()))
        chmodSync(path, 0o620)
      },
    ],
  ])('load() of %s names the file', (_, damage) => {
    const info = claimed()
    const path = join(root, 'web/container.json')
    rmSync(path)
    damage(path)
    expect(thrownBy(() => info.load())).toMatchObject({ code: 'io', message: expect.stringContaining(path) })
  })

  test('configFilePath() and runtimePath() lie in the runtime directory', () => {
    const info = new ContainerInfo('/run/crio-lxc', 'web')
    expect(info.configFilePath()).toBe('/run/crio-lxc/web/config')
    expect(info.runtimePath()).toBe('/run/crio-lxc/web')
    expect(info.runtimePath('fifo', 'start')).toBe('/run/crio-lxc/web/fifo/start')
  })

  test("pid() is 0 until publishInit(), then init's", () => {
    const info = claimed()
    expect(info.pid()).toBe(0)
    info.publishInit({ init: { pid: 42, startTime: 1 }, startSteps: {}, startMeanings: {}, command: 'sh' })
    expect(info.pid()).toBe(42)
  })

  test('of an init.json that says nothing but words of its steps the last one becomes the program', () => {
    const startSteps = { 41: 'wait for start', 42: 'load linux.seccomp', 43: 'execute process.args' }
    const init = readInitFacts({ init: { pid: 42, startTime: 1 }, startSteps, command: 'sh' }, 'init.json')
    expect(startStep(init, 43)).toEqual({ what: 'execute process.args', role: 'execute' })
    expect(startStep(init, 42)).toEqual({ what: 'load linux.seccomp' })
    expect(startStep(init, 44)).toEqual({ what: 'step 44' })
    expect(readInitFacts({ init: { pid: 42, startTime: 1 } }, 'init.json')).toMatchObject({ startMeanings: {} })
  })

  test('what a step means survives init.json, whatever its words are', () => {
    const info = claimed()
    const advice = { EPERM: 'lower it' }
    const startMeanings = { 41: { role: 'wait-for-start' }, 42: { advice }, 43: { role: 'execute' } } as const
    const startSteps = { 41: 'a', 42: 'b', 43: 'c', 44: 'd' }
    info.publishInit({ init: { pid: 42, startTime: 1 }, startSteps, startMeanings, command: 'sh' })
    const init = info.loadInit() as InitFacts
    expect([41, 42, 43, 44].map((number) => startStep(init, number))).toEqual([
      { what: 'a', role: 'wait-for-start' },
      { what: 'b', advice },
      { what: 'c', role: 'execute' },
      { what: 'd' },
    ])
  })

  test('createPidFile() writes the file of the facts, and none when the caller wanted none', () => {
    const info = new ContainerInfo(root, 'web')
    const { pidFile, ...others } = facts()
    info.create(others)
    info.createPidFile(42)
    expect(readdirSync(root)).toEqual(['web'])
    info.remove()
    info.create({ ...others, pidFile: join(root, 'pid') })
    info.createPidFile(42)
    expect(readFileSync(pidFile ?? '', 'utf8')).toBe('42')
  })
})

describe('createPidFile()', () => {
  test('writes digits alone, mode 0644, in the place of what was there', () => {
    const path = join(root, 'pid')
    writeFileSync(path, 'something longer', { mode: 0o600 })
    createPidFile(path, 7)
    expect(readFileSync(path, 'utf8')).toBe('7')
    expect(mode(path)).toBe(0o644)
    expect(readdirSync(root)).toEqual(['pid'])
  })

  test('names the file that cannot be written', () => {
    expect(thrownBy(() => createPidFile('/no/such/directory/pid', 7))).toMatchObject({
      code: 'io',
      message: expect.stringMatching(/^write the pid file \/no\/such\/directory\/pid: /),
    })
  })
})

test('decodeFileJSON() returns the value of the file', () => {
  const path = join(root, 'value.json')
  writeFileSync(path, '{"a": [1, null]}\n')
  expect(decodeFileJSON(path)).toEqual({ a: [1, null] })
})
