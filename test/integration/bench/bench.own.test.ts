/** npm run bench must not time what did not happen. What it measures is nobody's test; that it notices is. */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { makeBenchBundle } from '../../bench/bench-bundle.ts'
import { commands, forceDelete, type MeasuredRuntime, measureCycle } from '../../bench/measured-runtime.ts'
import { compileSpawnTimer, type SpawnTimer, startSpawnTimer } from '../../bench/spawn-timer.ts'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { runtimePath } from '../../support/runtime.ts'

requires('root', 'own-runtime', 'cc', 'runc')
const t = useContainers()

let executable: string
beforeAll(() => {
  executable = compileSpawnTimer(t.directory)
})
let timer: SpawnTimer
let directory: string
let honest: MeasuredRuntime
beforeEach(() => {
  directory = t.hostDirectory()
  const root = join(directory, 'root')
  mkdirSync(root)
  timer = startSpawnTimer(executable, join(directory, 'log'))
  honest = { name: 'runtime', argv: [runtimePath], root, bundle: makeBenchBundle(directory), timer }
})
afterEach(() => timer.close())

/** A script in front of the runtime. */
function script(body: string): string {
  const path = join(directory, 'script')
  writeFileSync(path, `#!/bin/sh\n${body}\n`)
  chmodSync(path, 0o755)
  return path
}

/** What a cycle says with the runtime, but for one command, which is replaced by shell commands. */
async function cycleWith(command: string, instead: string): Promise<unknown> {
  const argv = [script(`case " $* " in *" ${command} "*) ${instead}; exit 0;; esac\nexec ${runtimePath} "$@"`)]
  const id = t.id()
  try {
    return await measureCycle({ ...honest, argv }, id)
  } catch (error) {
    return (error as Error).message
  } finally {
    await forceDelete(honest, id)
  }
}

describe('the benchmark', () => {
  it('takes time, peak and processor time of every command of a container that runs', async () => {
    const cycle = await measureCycle(honest, t.id())
    for (const command of commands) {
      expect(cycle[command].ms, command).toBeGreaterThan(0)
      expect(cycle[command].peakKb, command).toBeGreaterThan(0)
      expect(cycle[command].cpuMs, command).toBeGreaterThan(0)
    }
  })

  it.each([
    [
      'create',
      ':',
      /^runtime create of container \S+ exits with 0, but there is no process in its pid file: its times/,
    ],
    [
      'create',
      'echo $PPID >$7',
      /^runtime create .*, but process \d+ has the pid namespace of the host: its times mean/,
    ],
    ['start', ':', /^runtime start .*, but process \d+ does not run busybox on the root of \/\S+: its times mean/],
    [
      'state',
      ':',
      /^runtime state .*, but it does not print the running process \d+: nothing: its times mean nothing$/,
    ],
    ['exec', ':', /^runtime exec .*, but its program was to print pid:\[\d+\], and printed nothing: its times/],
    [
      'exec',
      'readlink /proc/self/ns/pid',
      /^runtime exec .*, but its program was to print pid:\[\d+\], and printed "pid:/,
    ],
    ['delete', ':', /^runtime delete .*, but \/\S+ is still there: its times mean nothing$/],
  ])('refuses a %s that does nothing but %s', async (command, instead, sentence) => {
    expect(await cycleWith(command, instead)).toMatch(sentence)
  })

  it('ends with 1 and says so, and leaves nothing, when the runtime does nothing at all', { timeout: 180_000 }, () => {
    const bench = join(import.meta.dirname, '../../bench/bench.ts')
    const directories = () => readdirSync('/dev/shm').filter((name) => name.startsWith('crio-lxc-bench-'))
    const before = directories()
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', join(import.meta.dirname, '../../../scripts/typescript.js'), bench, '--rounds', '1'],
      { env: { ...process.env, RUNTIME: script(':'), NEWER_CRUN: '/no/crun' }, encoding: 'utf8' },
    )
    expect(stdout).toBe('')
    expect(stderr).toContain('bench: goes on without a newer crun: /no/crun does not run here: ')
    expect(stderr).toContain('bench: crio-lxc create of container bench exits with 0, but there is no process in')
    expect(status).toBe(1)
    expect(directories()).toEqual(before)
  })
})
