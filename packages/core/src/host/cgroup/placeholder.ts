import type { Arch } from '../../abi/arch.ts'
import { close, type Fd, pipe } from '../../sys/fd.ts'
import { ExecutorProcess } from '../process/executor-process.ts'
import { planPlaceholder } from './plan/placeholder-plan.ts'

/** The process of planPlaceholder. */
export class Placeholder {
  readonly #process: ExecutorProcess
  #hold: Fd | undefined

  /** `executor` is the path of crio-lxc-init. Throws RuntimeError. */
  static launch(executor: string, arch: Arch): Placeholder {
    const [holdRead, holdWrite] = pipe()
    try {
      const task = { plan: planPlaceholder(arch, holdRead), fds: [holdRead] }
      return new Placeholder(
        ExecutorProcess.launch({ executor }, () => task),
        holdWrite,
      )
    } catch (error) {
      close(holdWrite)
      throw error
    } finally {
      close(holdRead)
    }
  }

  private constructor(process: ExecutorProcess, hold: Fd) {
    this.#process = process
    this.#hold = hold
  }

  get pid(): number {
    return this.#process.pid
  }

  /** Ends and reaps it. */
  end(): void {
    if (this.#hold === undefined) return
    close(this.#hold)
    this.#hold = undefined
    this.#process.end()
    this.#process.close()
  }
}
