import { chmodSync, copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Bundle } from '../support/bundle.ts'
import { type Created, useContainers } from '../support/containers.ts'
import { program } from '../support/programs.ts'
import { requires } from '../support/requires.ts'
import { setNamespace } from '../support/spec.ts'
import { hostState } from './host-state.ts'

requires('root')
const t = useContainers()

/** A container that lies in wait for processes that enter it, and an executable in it that is whoever executes it. */
async function ambush(mode: 'processes' | 'trace' | 'sockets', change?: (bundle: Bundle) => void): Promise<Created> {
  const bundle = await t.bundle({ args: ['/intruder', mode] })
  copyFileSync(program('intruder'), join(bundle.rootfs, 'intruder'))
  bundle.spec.root.readonly = false
  change?.(bundle)
  bundle.writeConfig(bundle.spec)
  itself(bundle)
  return t.running(bundle)
}

function itself({ rootfs }: Bundle): void {
  const path = join(rootfs, 'bin/itself')
  writeFileSync(path, '#!/proc/self/exe\n')
  chmodSync(path, 0o755)
}

const linesOf = ({ result }: Created): string[] => result.output().trim().split('\n')

describe('the file of a process that enters a container cannot be overwritten there (CVE-2019-5736)', () => {
  const before = hostState([])

  it('exec of an executable that is #!/proc/self/exe', { timeout: 120_000 }, async () => {
    const trap = await ambush('processes')
    const end = performance.now() + 10_000
    // Until it has been caught often enough; a runtime whose file cannot be reached at all is not.
    for (let n = 0; n < 100 && performance.now() < end; n++) {
      await t.runtime(['exec', trap.id, '/bin/itself'])
      if (linesOf(trap).filter((line) => line.startsWith('program')).length >= 3) break
    }
    await t.ok(['exec', trap.id, 'true'])
    expect(linesOf(trap).filter((line) => line.startsWith('writable'))).toEqual([])
    expect(linesOf(trap)).toContainEqual(expect.stringMatching(/^seen /))
    expect(hostState([])).toEqual(before)
  })

  it('the same as the process of a container in the same pid namespace', { timeout: 120_000 }, async () => {
    const trap = await ambush('processes')
    for (let n = 0; n < 12; n++) {
      const bundle = await t.bundle({
        args: ['/bin/itself'],
        spec: (spec) => setNamespace(spec, 'pid', `/proc/${trap.pid}/ns/pid`),
      })
      itself(bundle)
      await t.run(bundle)
    }
    expect(linesOf(trap).filter((line) => line.startsWith('writable'))).toEqual([])
    expect(hostState([])).toEqual(before)
  })
})

it('a process cannot be traced, and has nothing of the host open, while it enters (CVE-2016-9962)', async () => {
  const trap = await ambush('trace')
  for (let n = 0; n < 25; n++) await t.ok(['exec', trap.id, 'sh', '-c', 'exec sleep 0.01'])
  const lines = linesOf(trap)
  expect(lines.filter((line) => /^(program|writable|fd) /.test(line))).toEqual([])
  expect(lines.filter((line) => /^(attached|refused) /.test(line)).length).toBeGreaterThan(0)
})

describe('a container in the network namespace of the host', () => {
  it('finds no socket of a runtime that creates, starts, enters and deletes (CVE-2020-15257)', async () => {
    const spy = await ambush('sockets', ({ spec }) => {
      spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'network')
    })
    for (let n = 0; n < 6; n++) {
      const { id } = await t.running()
      await t.ok(['exec', id, 'true'])
      await t.ok(['delete', '--force', id])
      // Every runtime but this one may be at work on the machine: the ids are of this file.
      expect(linesOf(spy).filter((line) => line.includes(id))).toEqual([])
    }
  })
})
