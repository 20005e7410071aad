/** podman as the ExecStart of a service with Type=notify. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { program } from '../../support/programs.ts'
import { ServiceManager } from '../../support/service-manager.ts'
import { waitFor } from '../../support/wait-for.ts'
import { usePodman } from '../support/podman.ts'

const podman = usePodman()

describe('podman run --sdnotify=container', () => {
  it('tells the service manager when the container says that it is ready', async () => {
    const manager = await ServiceManager.listen(join(podman.hostDirectory(), 'manager.sock'))
    const name = podman.name()
    try {
      const flags = ['--sdnotify=container', '--detach', '--name', name, '--volume', `${program('notify')}:/notify:ro`]
      const command = ['sh', '-c', 'echo "at $NOTIFY_SOCKET"; /notify send READY=1; exec sleep 1000']
      const env = { NOTIFY_SOCKET: manager.socket }
      const result = await podman.call(podman.runArguments(flags, command), { env })
      expect(result).toMatchObject({ exitCode: 0, stderr: '' })
      await waitFor(() => manager.variables().includes('READY=1'))
      const { Pid, ConmonPid } = await podman.state(name)
      await waitFor(() => manager.variables().includes(`MAINPID=${ConmonPid}`))
      expect(readFileSync(`/proc/${Pid}/mountinfo`, 'utf8')).toMatch(/ \/run\/notify /)
      await podman.waitForLog(name, 'at /run/notify/notify.sock')
    } finally {
      await podman.call(['rm', '--force', '--time', '0', name])
      await manager.stop()
    }
  })
})
