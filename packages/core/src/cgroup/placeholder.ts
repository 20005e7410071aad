import type { Arch } from '../abi/arch.ts'
import { compile } from '../plan/compile.ts'
import { close, type Fd, pipe } from '../sys/fd.ts'
import { withFds } from '../sys/fd-scope.ts'
import { sealedFile } from '../sys/memfd.ts'
import { spawn, wait } from '../sys/spawn.ts'
import { planPlaceholder } from './plan/placeholder-plan.ts'

const NO_REPORT = -1

/** The process of planPlaceholder. */
export class Placeholder {
  #gate: Fd | undefined

  private constructor(
    readonly pid: number,
    gate: Fd,
  ) {
    this.#gate = gate
  }

  /** `init` is the path of crio-lxc-init. */
  static launch(init: string, arch: Arch): Placeholder {
    return withFds((fds) => {
      const [gateRead, gateWrite] = pipe()
      fds.keep(gateRead)
      fds.keep(gateWrite)
      const plan = fds.keep(sealedFile('placeholder', compile(planPlaceholder(arch, gateRead), NO_REPORT)))
      const pid = spawn({ path: init, args: ['crio-lxc-init', String(plan)], env: [], fds: [gateRead, plan] })
      return new Placeholder(pid, fds.release(gateWrite))
    })
  }

  /** Ends and reaps it. */
  end(): void {
    if (this.#gate === undefined) return
    close(this.#gate)
    this.#gate = undefined
    wait(this.pid)
  }
}
