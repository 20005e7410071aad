import type { Arch } from '../abi/arch.ts'
import { compile } from '../plan/compile.ts'
import { close, pipe } from '../sys/fd.ts'
import { sealedFile } from '../sys/memfd.ts'
import { spawn, wait } from '../sys/spawn.ts'
import { planPlaceholder } from './plan/placeholder-plan.ts'

const NO_REPORT = -1

/** The process of planPlaceholder. */
export class Placeholder {
  readonly pid: number
  #gate: number | undefined

  /** `init` is the path of crio-lxc-init. */
  constructor(init: string, arch: Arch) {
    const [gateRead, gateWrite] = pipe()
    const open = [gateRead]
    this.#gate = gateWrite
    try {
      const plan = sealedFile('placeholder', compile(planPlaceholder(arch, gateRead), NO_REPORT))
      open.push(plan)
      this.pid = spawn({ path: init, args: ['crio-lxc-init', String(plan)], env: [], fds: open })
    } catch (error) {
      close(gateWrite)
      throw error
    } finally {
      for (const fd of open) close(fd)
    }
  }

  /** Ends and reaps it. */
  end(): void {
    if (this.#gate === undefined) return
    close(this.#gate)
    this.#gate = undefined
    wait(this.pid)
  }
}
