import type { Arch } from '../../abi/arch.ts'
import { close, type Fd, pipe } from '../../sys/fd.ts'
import { ExecutorProcess } from '../process/executor-process.ts'
import { planPlaceholder } from './plan/placeholder-plan.ts'

/** The process of planPlaceholder. */
export class Placeholder {
  readonly #process: ExecutorProcess
  #gate: Fd | undefined

  /** `init` is the path of crio-lxc-init. Throws RuntimeError. */
  static launch(init: string, arch: Arch): Placeholder {
    const [gateRead, gateWrite] = pipe()
    try {
      const task = { plan: planPlaceholder(arch, gateRead), fds: [gateRead] }
      return new Placeholder(
        ExecutorProcess.launch({ init }, () => task),
        gateWrite,
      )
    } catch (error) {
      close(gateWrite)
      throw error
    } finally {
      close(gateRead)
    }
  }

  private constructor(process: ExecutorProcess, gate: Fd) {
    this.#process = process
    this.#gate = gate
  }

  get pid(): number {
    return this.#process.pid
  }

  /** Ends and reaps it. */
  end(): void {
    if (this.#gate === undefined) return
    close(this.#gate)
    this.#gate = undefined
    this.#process.end()
    this.#process.close()
  }
}
