import { closeSync } from 'node:fs'
import type { Arch } from '../abi/arch.ts'
import { compile } from '../plan/compile.ts'
import { memfdCreate, pipe } from '../sys/libc.ts'
import { spawn, wait } from '../sys/spawn.ts'
import { writeAll } from '../sys/write-all.ts'
import { planPlaceholder } from './plan/placeholder-plan.ts'

const NO_REPORT = -1

/** The process of planPlaceholder. */
export class Placeholder {
  readonly pid: number
  #gate: number | undefined

  /** `init` is the path of crio-lxc-init. */
  constructor(init: string, arch: Arch) {
    const [gateRead, gateWrite] = pipe()
    const plan = memfdCreate('placeholder')
    this.#gate = gateWrite
    try {
      writeAll(plan, compile(planPlaceholder(arch, gateRead), NO_REPORT))
      this.pid = spawn({ path: init, args: ['crio-lxc-init', String(plan)], env: [], fds: [gateRead, plan] })
    } catch (error) {
      closeSync(gateWrite)
      throw error
    } finally {
      closeSync(gateRead)
      closeSync(plan)
    }
  }

  /** Ends and reaps it. */
  end(): void {
    if (this.#gate === undefined) return
    closeSync(this.#gate)
    this.#gate = undefined
    wait(this.pid)
  }
}
