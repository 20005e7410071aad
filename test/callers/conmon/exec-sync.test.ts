/** CRI-O's ExecSyncContainer (probes, `crictl exec --sync`) and podman's attached exec, both through conmon. */
import { describe, expect, it } from 'vitest'
import { commandLines } from '../../support/proc.ts'
import { waitFor } from '../../support/wait-for.ts'
import { useCrio } from '../support/crio.ts'

const crio = useCrio()
const sleeping = { args: ['sleep', '1000'] }

describe('conmon -e --sync', () => {
  it('hands on output and exit code', async () => {
    const container = await crio.start(sleeping)
    const result = await crio.execSync(container, ['sh', '-c', 'echo out; echo err >&2; exit 7'])
    expect(result).toMatchObject({ record: { exit_code: 7 }, stdout: 'out\n', stderr: 'err\n' })
  })

  it('finds an integer and nothing else in the pid file', async () => {
    const container = await crio.start(sleeping)
    expect((await crio.execSync(container, ['true'])).pidFile).toMatch(/^[1-9]\d*$/)
  })

  it('reports 137 for SIGKILL', async () => {
    const container = await crio.start(sleeping)
    expect((await crio.execSync(container, ['sh', '-c', 'kill -9 $$'])).record).toMatchObject({ exit_code: 137 })
  })

  it('runs as the user, in the directory and with the environment of the process file', async () => {
    const container = await crio.start(sleeping)
    const process = { user: { uid: 1000, gid: 1001 }, cwd: '/tmp', env: ['PATH=/bin', 'COLOUR=dark blue'] }
    const result = await crio.execSync(container, ['sh', '-c', 'id -u; id -g; pwd; echo "$COLOUR"'], { process })
    expect(result).toMatchObject({ record: { exit_code: 0 }, stdout: '1000\n1001\n/tmp\ndark blue\n' })
  })

  it('with -t gives the process a terminal of the container', async () => {
    const container = await crio.start(sleeping)
    const result = await crio.execSync(container, ['sh', '-c', 'tty; exit 3'], { terminal: true })
    expect(result.record).toMatchObject({ exit_code: 3 })
    expect(result.stdout).toMatch(/^\/dev\/pts\/\d+\r?\n$/)
  })

  it('-T ends a process that takes too long', async () => {
    const container = await crio.start(sleeping)
    const result = await crio.execSync(container, ['sleep', '8765'], { timeout: 1 })
    expect(result.record).toMatchObject({ exit_code: -1, message: 'command timed out' })
    await waitFor(() => ![...commandLines().values()].includes('sleep 8765'))
  })

  it('a missing executable: exit code -1 and the message, and no pid file', async () => {
    const container = await crio.start(sleeping)
    const { record, pidFile } = await crio.execSync(container, ['/bin/no-such-program'])
    const message = expect.stringMatching(/no-such-program.*(no such file|not found)/s)
    expect(record).toEqual({ exit_code: -1, message })
    expect(pidFile).toBeUndefined()
  })

  it('a container that has stopped', async () => {
    const container = await crio.start({ args: ['true'] })
    await crio.exitCode(container)
    const { record } = await crio.execSync(container, ['true'])
    expect(record).toEqual({ exit_code: -1, message: expect.stringMatching(/stopped|not running/) })
  })
})

describe('conmon -e --exec-attach', () => {
  it('reports the pid first, then the exit code through a file', async () => {
    const container = await crio.start(sleeping)
    const { record, log, exitCode } = await crio.execAttach(container, ['sh', '-c', 'echo out; exit 7'])
    expect(record.data).toBeGreaterThan(0)
    expect(await exitCode()).toBe('7')
    expect(log()).toEqual({ stdout: 'out\n', stderr: '' })
  })

  it('reports a failure with the message', async () => {
    const container = await crio.start(sleeping)
    const { record } = await crio.execAttach(container, ['/bin/no-such-program'])
    expect(record).toMatchObject({ data: -1, message: expect.stringContaining('no-such-program') })
  })
})
