import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { Agent, ERRNO, NO_MEDIUM } from '../../support/seccomp-agent.ts'
import type { Spec } from '../../support/spec.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root')
const t = useContainers()

/** mkdir asks the agent, everything else is allowed. */
function notifyMkdir(listenerPath: string | undefined, more: object = {}): (spec: Spec) => void {
  return (spec) => {
    spec.annotations = { 'org.example.key': 'value' }
    spec.linux.seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      ...(listenerPath !== undefined && { listenerPath }),
      syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_NOTIFY' }],
      ...more,
    }
  }
}

const mkdir = ['sh', '-c', 'mkdir /dev/made; echo status $?']

describe('SCMP_ACT_NOTIFY', () => {
  it.each([true, false])('lets an agent decide, with noNewPrivileges %s', async (noNewPrivileges) => {
    const agent = await new Agent(t).listening()
    const result = await t.run({ args: mkdir, process: { noNewPrivileges }, spec: notifyMkdir(agent.path) })
    expect(result.stderr).toMatch(NO_MEDIUM)
    expect(result.stdout).toBe('status 1\n')
    expect(agent.notified()).toHaveLength(1)
  })

  it('sends the container process state with one fd', async () => {
    const agent = await new Agent(t).listening()
    const { id, pid, bundle } = await t.running({
      spec: notifyMkdir(agent.path, { listenerMetadata: 'MKNOD=/dev/null;"x"' }),
    })
    await waitFor(() => agent.states().length === 1)
    const [{ fds, sent } = { fds: 0, sent: undefined }] = agent.states()
    expect(fds).toBe(1)
    expect(sent).toMatchObject({
      ociVersion: expect.stringMatching(/^1\./),
      fds: ['seccompFd'],
      pid,
      metadata: 'MKNOD=/dev/null;"x"',
      state: { id, pid, bundle: bundle.path, annotations: { 'org.example.key': 'value' } },
    })
    expect(['creating', 'created']).toContain(sent?.state.status)
  })

  it('has an agent for each process of exec as well', async () => {
    const agent = await new Agent(t).listening()
    const { id, pid } = await t.running({ spec: notifyMkdir(agent.path) })
    const result = await t.runtime(['exec', id, ...mkdir])
    expect(result.stderr).toMatch(NO_MEDIUM)
    expect(result.stdout).toBe('status 1\n')
    await waitFor(() => agent.states().length === 2)
    const [first, second] = agent.states()
    expect(first?.sent.pid).toBe(pid)
    expect(second?.sent.pid).not.toBe(pid)
    expect(second).toMatchObject({ fds: 1, sent: { fds: ['seccompFd'], state: { id, pid, status: 'running' } } })
  })

  it('works for a program that is asked about its very first system call', async () => {
    const agent = await new Agent(t).listening()
    const rules = { syscalls: [{ names: ['execve'], action: 'SCMP_ACT_NOTIFY' }] }
    const result = await t.run({ args: mkdir, spec: notifyMkdir(agent.path, rules) })
    expect(result.exitCode).not.toBe(0)
    expect(agent.notified().length).toBeGreaterThan(0)
  })

  it('leaves no listener open in the container', async () => {
    const agent = await new Agent(t).listening()
    const report = await t.probe({ spec: notifyMkdir(agent.path) })
    expect(Object.keys(report.fds).filter((fd) => Number(fd) > 2)).toEqual([])
  })

  it('without an agent there is no container', async () => {
    const bundle = await t.bundle({ args: ['sh', '-c', 'echo ran'], spec: notifyMkdir('/no/such/agent.sock') })
    const result = await t.run(bundle)
    expect(result.exitCode).toBe(1)
    expect(result.stdout).toBe('')
    expect(result.stderr).toMatch(/\/no\/such\/agent\.sock/)
    t.expectNothingLeft()
  })

  it.each<[string, (path: string) => (spec: Spec) => void]>([
    ['the default action', (path) => notifyMkdir(path, { defaultAction: 'SCMP_ACT_NOTIFY' })],
    [
      'write, which the runtime needs to hand the listener over',
      (path) => notifyMkdir(path, { syscalls: [{ names: ['write'], action: 'SCMP_ACT_NOTIFY' }] }),
    ],
    ['no listenerPath', () => notifyMkdir(undefined)],
  ])('is refused for %s', async (_, spec) => {
    const agent = await new Agent(t).listening()
    const result = await t.run({ spec: spec(agent.path) })
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/NOTIFY|listenerPath/i)
    t.expectNothingLeft()
  })
})

describe('listenerPath', () => {
  it('is ignored when nothing is notified', async () => {
    const rules = { syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: ERRNO }] }
    const result = await t.run({ args: mkdir, spec: notifyMkdir('/no/such/agent.sock', rules) })
    expect(result.stderr).toMatch(NO_MEDIUM)
    expect(result.stdout).toBe('status 1\n')
  })
})
