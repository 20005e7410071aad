import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { cgroupsOf, commandLines, findCgroups, isAlive, namespaceOf, processStat } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { invoke, runtimePath } from '../../support/runtime.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()

/** Processes of the product whose command line names the id. */
function ownProcesses(id: string): string[] {
  return [...commandLines().values()].filter((line) => line.includes('crio-lxc') && line.split(' ').includes(id))
}

describe('--monitor handover, the default', () => {
  it('leaves no process of ours after create', async () => {
    const { id } = await t.create()
    expect(ownProcesses(id)).toEqual([])
  })

  it('puts the pid of init into the pid file and into state', async () => {
    const pidFile = join(t.hostDirectory(), 'pid')
    const { pid } = await t.create({}, { flags: ['--pid-file', pidFile] })
    expect(readFileSync(pidFile, 'utf8')).toBe(String(pid))
    expect(namespaceOf(pid, 'pid')).not.toBe(namespaceOf('self', 'pid'))
    expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^NSpid:\t\d+\t1$/m)
  })

  it('makes init a child of the subreaper above the caller', async () => {
    const { pid } = await t.create()
    expect(processStat(pid)?.ppid).not.toBe(0)
    expect(readFileSync(`/proc/${processStat(pid)?.ppid}/cmdline`, 'latin1')).not.toMatch(/crio-lxc-start/)
  })

  it('init outlives create without a death signal', async () => {
    const { id, pid } = await t.running()
    expect(isAlive(pid)).toBe(true)
    expect(await t.state(id)).toMatchObject({ status: 'running', pid })
  })

  it('holds little memory while parked', async () => {
    const { pid } = await t.create()
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
    const privateKb = [...rollup.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)].reduce(
      (sum, [, kb]) => sum + Number(kb),
      0,
    )
    expect(privateKb).toBeLessThanOrEqual(100)
  })
})

describe.each([
  ['the flag', ['--monitor', 'resident'], {}],
  ['CRIO_LXC_MONITOR_MODE', [], { CRIO_LXC_MONITOR_MODE: 'resident' }],
])('--monitor resident by %s', (_, flags, variables) => {
  const env = { ...(process.env as Record<string, string>), ...variables }

  it('keeps the monitor, in the monitor cgroup, and its pid is in the pid file', async () => {
    const bundle = await t.bundle({ args: ['sleep', '1000'] })
    const id = t.id()
    const pidFile = join(t.hostDirectory(), 'pid')
    await t.ok(
      [...flags, '--monitor-cgroup', `${id}-monitors`, 'create', '--pid-file', pidFile, '--bundle', bundle.path, id],
      { env },
    )
    const monitor = Number(readFileSync(pidFile, 'utf8'))
    const { pid } = await t.state(id)
    expect(monitor).not.toBe(pid)
    expect(processStat(pid)?.ppid).toBe(monitor)
    expect(namespaceOf(monitor, 'pid')).toBe(namespaceOf('self', 'pid'))
    for (const place of Object.values(cgroupsOf(monitor))) expect(place).toContain(`${id}-monitors`)
    for (const place of Object.values(cgroupsOf(pid))) expect(place).not.toContain('-monitors')
    await t.ok(['start', id], { env })
    await t.ok(['delete', '--force', id], { env })
    await waitFor(() => !isAlive(monitor) && !isAlive(pid))
    const left = findCgroups((name) => name === `${id}-monitors`)
    for (const path of left) rmdirSync(path)
  })

  it('ends when the container ends', async () => {
    const bundle = await t.bundle({ args: ['sh', '-c', 'exit 7'] })
    const id = t.id()
    const pidFile = join(t.hostDirectory(), 'pid')
    await t.ok([...flags, 'create', '--pid-file', pidFile, '--bundle', bundle.path, id], { env })
    await t.ok(['start', id], { env })
    await t.waitForStatus(id, 'stopped')
    await waitFor(() => !isAlive(Number(readFileSync(pidFile, 'utf8'))))
  })

  it('state, kill, exec and delete work without the monitor', async () => {
    const bundle = await t.bundle({ args: ['sleep', '1000'] })
    const id = t.id()
    const pidFile = join(t.hostDirectory(), 'pid')
    await t.ok([...flags, 'create', '--pid-file', pidFile, '--bundle', bundle.path, id], { env })
    await t.ok(['start', id])
    process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL')
    await waitFor(() => !isAlive(Number(readFileSync(pidFile, 'utf8'))))
    expect(await t.state(id)).toMatchObject({ status: 'running' })
    expect(await t.runtime(['exec', id, 'sh', '-c', 'exit 5'])).toMatchObject({ exitCode: 5 })
    await t.ok(['kill', id, 'KILL'])
    await t.waitForStatus(id, 'stopped')
    await t.ok(['delete', id])
  })
})

describe("liblxc's view of the stage", () => {
  it('is read-only, so that a monitor which is killed early leaves nothing there', async () => {
    const { id, pid } = await t.create(
      {},
      { env: { ...process.env, CRIO_LXC_MONITOR_MODE: 'resident' } as Record<string, string> },
    )
    const stage = join(dirname(runtimePath), '../libexec/crio-lxc/stage')
    const before = readdirSync(stage)
    const monitor = String(processStat(pid)?.ppid)
    const result = spawnSync('nsenter', ['-t', monitor, '-m', 'touch', `${stage}/.lxc_keep`], { encoding: 'utf8' })
    expect(result.stderr).toMatch(/Read-only file system/)
    await t.ok(['delete', '--force', id])
    expect(readdirSync(stage)).toEqual(before)
  })
})

describe('an unknown mode', () => {
  it('is refused and named', async () => {
    const result = await invoke(['--monitor', 'sometimes', 'list'])
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/sometimes/)
  })
})
