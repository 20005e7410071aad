import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { parseProbe } from '../../support/probe.ts'
import { program } from '../../support/programs.ts'
import { requires } from '../../support/requires.ts'

requires('root')
const t = useContainers()

describe('exec on a terminal', () => {
  const onPty = [program('on-pty'), '31', '117']

  it.each(['--tty', '-t'])('%s gives the command a terminal of its own', async (flag) => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', flag, id, '/probe'], { through: onPty, input: '' })
    expect(result, result.stdout).toMatchObject({ exitCode: 0 })
    const { tty } = parseProbe(result.stdout)
    expect(tty).toMatchObject({ isatty: [true, true, true], controlling: true })
    expect(tty.name).toMatch(/^\/dev\/pts\/\d+$/)
    expect(tty.ttySession).toBe(tty.session)
    expect(tty.foreground).toBe(tty.group)
  })

  it("gives the terminal the size of the caller's", async () => {
    const { id } = await t.running()
    const script = 'until s=$(stty size 2>/dev/null) && [ -n "$s" ] && [ "$s" != "0 0" ]; do :; done; echo "$s"'
    const result = await t.runtime(['exec', '--tty', id, 'sh', '-c', script], { through: onPty, input: '' })
    expect(result.stdout).toContain('31 117\r\n')
  })

  it('returns the exit code', async () => {
    const { id } = await t.running()
    expect(await t.runtime(['exec', '--tty', id, 'sh', '-c', 'exit 7'], { through: onPty, input: '' })).toMatchObject({
      exitCode: 7,
    })
  })

  it('passes what is typed to the command', async () => {
    const { id } = await t.running()
    const script = 'read line; echo "got <$line>"'
    const result = await t.runtime(['exec', '-t', id, 'sh', '-c', script], { through: onPty, input: 'hello\n' })
    expect(result.stdout).toContain('got <hello>\r\n')
  })

  it('turns control-C into SIGINT for the command, not for the runtime', async () => {
    const { id } = await t.running()
    const script = 'trap "echo interrupted; exit 5" INT; echo ready; while :; do sleep 0.01; done'
    const through = [program('on-pty'), '24', '80', '--after', 'ready']
    const result = await t.runtime(['exec', '-t', id, 'sh', '-c', script], { through, input: '\x03' })
    expect(result.exitCode).toBe(5)
    expect(result.stdout).toContain('interrupted')
  })

  it('--process with terminal true works without a console socket, as CRI-O calls it', async () => {
    const { id } = await t.running()
    const path = t.processFile({
      terminal: true,
      user: { uid: 1000, gid: 1000 },
      args: ['/probe'],
      env: ['PATH=/bin'],
      cwd: '/',
    })
    const result = await t.runtime(['exec', '--process', path, id], { through: onPty, input: '' })
    const report = parseProbe(result.stdout)
    expect(report.tty).toMatchObject({ isatty: [true, true, true], controlling: true, owner: 1000 })
  })
})
