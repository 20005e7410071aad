/** dockerd itself: what it reads of the runtime, its own end with containers alive, and its users' namespaces. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isAlive } from '../../support/proc.ts'
import { isRunc, runtimePath } from '../../support/runtime.ts'
import { useDocker } from '../support/docker.ts'

const docker = useDocker({ flags: ['--live-restore'] })
const sh = (script: string): string[] => ['sh', '-c', script]

describe('docker info', () => {
  it('has the runtime, its version, and the features that dockerd has asked it for', async () => {
    const info = JSON.parse(await docker.ok(['info', '--format', '{{json .}}'])) as {
      DefaultRuntime: string
      Runtimes: Record<string, { path: string; status: Record<string, string> }>
      RuncCommit: { ID: string }
    }
    expect(info.DefaultRuntime).toBe('tested')
    const { path, status } = info.Runtimes['tested'] ?? { path: '', status: {} }
    expect(path).toBe(runtimePath)
    const features = JSON.parse(status['org.opencontainers.runtime-spec.features'] ?? '{}') as {
      ociVersionMax?: string
    }
    expect(features.ociVersionMax).toMatch(/^1\./)
    expect(info.RuncCommit.ID).toMatch(isRunc ? /./ : /^[0-9a-f]{40}/)
  })
})

describe.each(['SIGTERM', 'SIGKILL'] as const)(
  'dockerd ended by %s and started again with --live-restore',
  (signal) => {
    it('has the containers that went on, and their exit codes', async () => {
      const name = await docker.detached([], sh('trap "exit 7" TERM; echo ready; while :; do sleep 0.05; done'))
      await docker.waitForLog(name, 'ready')
      const pid = await docker.pid(name)
      await docker.stopDaemon(signal)
      expect(isAlive(pid)).toBe(true)
      await docker.startDaemon()
      expect(await docker.state(name)).toMatchObject({ Status: 'running', Pid: pid })
      expect((await docker.exec(name, sh('exit 5'))).exitCode).toBe(5)
      await docker.ok(['stop', name])
      expect((await docker.state(name)).ExitCode).toBe(7)
      await docker.remove(name)
    })
  },
)

it('a runtime with arguments of its own, in daemon.json, is one more', async () => {
  const runtimes = { wordy: { path: runtimePath, runtimeArgs: ['--debug'] } }
  writeFileSync(join(docker.directory, 'daemon.json'), JSON.stringify({ runtimes }))
  await docker.stopDaemon()
  await docker.startDaemon()
  const name = await docker.detached(['--runtime', 'wordy'], sh('exit 8'))
  expect(await docker.ok(['wait', name])).toBe('8')
  await docker.remove(name)
  expect(await docker.call(['run', '--rm', '--runtime', 'unheard-of', docker.image, 'true'])).toMatchObject({
    exitCode: 125,
    stderr: expect.stringContaining('unknown or invalid runtime name: unheard-of'),
  })
})
