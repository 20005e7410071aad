import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { parseProbe } from '../../support/probe.ts'
import { program } from '../../support/programs.ts'
import { requires } from '../../support/requires.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()

describe('exec --tty', () => {
  it("--tty has the size of the caller's terminal from the first instruction", async () => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', '--tty', id, '/probe'], {
      through: [program('on-pty'), '31', '117'],
      input: '',
    })
    expect(parseProbe(result.stdout).tty).toMatchObject({ rows: 31, columns: 117 })
  })
})

describe('exec --tty over pipes', () => {
  it('passes more than the terminal takes at once to a process that prints as it reads', async () => {
    const { id } = await t.running()
    const directory = t.hostDirectory()
    const [input, output] = [join(directory, 'input'), join(directory, 'output')]
    writeFileSync(input, 'x'.repeat(300_000))
    writeFileSync(output, '')
    const feed = `until grep -q ready ${output}; do sleep 0.05; done; cat ${input}; until grep -q end ${output}; do sleep 0.05; done`
    const through = ['sh', '-c', `(${feed}) | "$@" >${output}`, 'sh']
    const script = 'stty raw -echo; echo ready; head -c 300000; echo end'
    expect(await t.runtime(['exec', '--tty', id, 'sh', '-c', script], { through })).toMatchObject({ exitCode: 0 })
    expect(t.read(output)).toBe(`ready\n${'x'.repeat(300_000)}end\n`)
  })

  it.each([
    ['a line that is not finished, which the first end of input finishes', 'cat; echo ended', 'half'],
    [
      'an end of input that a change of modes has made a character',
      'sleep 0.4; stty -icanon; sleep 0.2; stty icanon; cat >/dev/null; cat; echo ended',
      '',
    ],
    ['several that read to the end', 'cat; cat; cat; echo ended', 'line\n'],
  ])('is at its end for every reader: %s', async (_, script, input) => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', '--tty', id, 'sh', '-c', script], { input, timeoutMs: 10_000 })
    expect(result).toMatchObject({ exitCode: 0, timedOut: false })
    expect(result.stdout).toContain('ended')
  })

  it('goes on when nobody reads what it prints', async () => {
    const { id } = await t.running()
    const code = join(t.hostDirectory(), 'code')
    const through = ['sh', '-c', `("$@"; echo $? >${code}) | true`, 'sh']
    const script = 'sleep 0.3; i=0; while [ $i -lt 500 ]; do echo line; i=$((i+1)); done; exit 6'
    await t.runtime(['exec', '--tty', id, 'sh', '-c', script], { through })
    expect((await waitFor(() => t.read(code))).trim()).toBe('6')
  })
})
