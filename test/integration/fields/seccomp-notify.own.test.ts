import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { isAlive } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { Agent, NO_MEDIUM } from '../../support/seccomp-agent.ts'
import type { Spec } from '../../support/spec.ts'
import { waitFor } from '../../support/wait-for.ts'

// runc keeps the connection open, has an agent at create already, and does not cope with long states.
requires('root', 'own-runtime')
const t = useContainers()

function notifyMkdir(listenerPath: string, more: object = {}): (spec: Spec) => void {
  return (spec) => {
    const syscalls = [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_NOTIFY' }]
    spec.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', listenerPath, syscalls, ...more }
  }
}

describe('the connection to the seccomp agent', () => {
  it('is made by start, with the state of then, and closed', async () => {
    const agent = await new Agent(t).listening()
    const { id, pid } = await t.create({ args: ['sleep', '1000'], spec: notifyMkdir(agent.path) })
    expect(agent.states()).toEqual([])
    await t.ok(['start', id])
    await waitFor(() => agent.closed() === 1)
    expect(agent.states()).toMatchObject([{ sent: { pid, state: { status: 'created' } } }])
  })

  it('takes a state that does not fit into one packet', async () => {
    const agent = await new Agent(t).listening()
    const value = 'x'.repeat(300_000)
    await t.running({
      spec: (spec) => {
        notifyMkdir(agent.path)(spec)
        spec.annotations = { long: value }
      },
    })
    await waitFor(() => agent.closed() === 1)
    expect(agent.states()[0]).toMatchObject({ fds: 1, sent: { state: { annotations: { long: value } } } })
  })

  it('fails: start says so, the container ends and can be deleted', async () => {
    const { id, pid } = await t.create({ spec: notifyMkdir('/no/such/agent.sock') })
    const result = await t.runtime(['start', id])
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(result.stderr).toMatch(
      /^linux\.seccomp\.listenerPath: send the listener to \/no\/such\/agent\.sock: no such file or directory\b.*\n$/,
    )
    await waitFor(() => !isAlive(pid))
    expect(await t.state(id)).toMatchObject({ status: 'stopped' })
    await t.ok(['delete', id])
    t.expectNothingLeft()
  })

  it('fails for exec: the process never runs, the container goes on', async () => {
    const agent = await new Agent(t).listening()
    const { id, pid } = await t.running({ spec: notifyMkdir(agent.path) })
    await agent.stop()
    const result = await t.runtime(['exec', id, 'echo', 'ran'])
    expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    expect(result.stderr).toMatch(/^linux\.seccomp\.listenerPath: .*agent\.sock/)
    expect(isAlive(pid)).toBe(true)
  })
})

describe('a filter that allows little', () => {
  it('needs write alone before the agent has the listener', async () => {
    const agent = await new Agent(t).listening()
    const rules = { syscalls: [{ names: ['read', 'mkdir', 'mkdirat', 'sendmsg'], action: 'SCMP_ACT_NOTIFY' }] }
    const { id } = await t.create({ args: ['sleep', '1000'], spec: notifyMkdir(agent.path, rules) })
    const result = await t.runtime(['start', id])
    // The agent answers the read of the acknowledgement too, with its errno: start names the step.
    expect(result.stderr).toMatch(/^wait until the seccomp agent has the listener: /)
    expect(agent.notified()).toHaveLength(1)
  })

  it('that forbids write fails start and ends the container', async () => {
    const agent = await new Agent(t).listening()
    const rules = {
      syscalls: [
        { names: ['write'], action: 'SCMP_ACT_ERRNO' },
        { names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' },
      ],
    }
    const { id, pid } = await t.create({ spec: notifyMkdir(agent.path, rules) })
    const result = await t.runtime(['start', id])
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/linux\.seccomp must allow write$/m)
    await waitFor(() => !isAlive(pid))
  })

  it('with every flag still has its agent', async () => {
    const agent = await new Agent(t).listening()
    const flags = ['SECCOMP_FILTER_FLAG_TSYNC', 'SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV']
    const result = await t.run({ args: ['mkdir', '/dev/made'], spec: notifyMkdir(agent.path, { flags }) })
    expect(result.stderr).toMatch(NO_MEDIUM)
  })
})
