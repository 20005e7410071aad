import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { expectOneSentence } from '../../support/one-sentence.ts'
import { childrenOf } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root')
const t = useContainers()

async function withChild(): Promise<{ id: string; pids: number[] }> {
  const { id, pid } = await t.running({ args: ['sh', '-c', 'sleep 1001 & wait'] })
  const [child = 0] = await waitFor(() => {
    const found = childrenOf(pid)
    return found.length === 1 ? found : undefined
  })
  return { id, pids: [pid, child] }
}

const numbers = (a: number, b: number): number => a - b

describe('ps', () => {
  it('--format json is an array of pids on the host', async () => {
    const { id, pids } = await withChild()
    const { stdout } = await t.ok(['ps', '--format', 'json', id])
    expect((JSON.parse(stdout) as number[]).sort(numbers)).toEqual(pids.sort(numbers))
  })

  it('is a table of the lines of ps -ef about the container', async () => {
    const { id, pids } = await withChild()
    const [header, ...lines] = (await t.ok(['ps', id])).stdout.trimEnd().split('\n')
    expect(header).toMatch(/^UID +PID +PPID/)
    expect(lines.map((line) => Number(line.split(/\s+/)[1])).sort(numbers)).toEqual(pids.sort(numbers))
  })

  it('hands options on to ps', async () => {
    const { id, pids } = await withChild()
    const { stdout } = await t.ok(['ps', id, '-e', '-o', 'pid,args'])
    expect(stdout).toMatch(new RegExp(`^ *PID COMMAND\n( *(${pids[0]}|${pids[1]}) .*\n){2}$`))
  })

  it('needs the column PID', async () => {
    const { id } = await t.running()
    const result = await t.runtime(['ps', id, '-o', 'comm'])
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toMatch(/couldn't find PID field in ps output/)
  })

  describe('beyond runc', () => {
    requires('own-runtime')

    it('says in one sentence what ps does not take, and where its own options go', async () => {
      const { id } = await t.running()
      expectOneSentence(
        await t.runtime(['ps', id, '--format', 'json']),
        /^ps --format json: error: unknown user-defined format specifier "json": what stands behind the id is for ps\(1\)$/m,
      )
    })

    it('works without PATH', async () => {
      const { id, pid } = await t.running()
      expect((await t.ok(['ps', id], { env: {} })).stdout).toContain(` ${pid} `)
    })
  })
})
