/** Steps that find the executable as the container's user, so that a missing one fails before anything waits for start. */
import { AT_FDCWD, F_OK, O_CLOEXEC, O_PATH, X_OK } from '@crio-lxc/core/abi/constants'
import { type Errno, errnoTable } from '@crio-lxc/core/abi/errno'
import { Label, type Plan, type Slot } from '@crio-lxc/core/plan/plan'

/** Fails with the reason why none of the candidates can be executed. */
const FIND = 'find the executable'
const role = 'find-executable'

const notThere: readonly Errno[] = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'EACCES']

/** Returns the word that will hold the address of the path to execute: the first candidate that is no directory. */
export function planFindExecutable(plan: Plan, candidates: readonly string[]): Slot {
  const executable = plan.slot('executable')
  const found = new Label()
  const [only, ...others] = candidates
  if (only !== undefined && others.length === 0) {
    plan.step(FIND, 'faccessat', [AT_FDCWD, plan.string(only), X_OK], { role })
    planChoose(plan, only, { executable, found })
    plan.step(FIND, 'fail', [errnoTable.EISDIR[0]], { role })
  } else planSearch(plan, candidates, { executable, found })
  plan.place(found)
  return executable
}

interface Choice {
  readonly executable: Slot
  /** Where to go on with it. */
  readonly found: Label
}

/** As execvp(3): a file that may not be executed is remembered while others are tried; directories are passed over. */
function planSearch(plan: Plan, candidates: readonly string[], choice: Choice): void {
  const reason = plan.slot('reason')
  plan.step('expect to find nothing', 'move', [errnoTable.ENOENT[0]], { result: reason })
  for (const candidate of candidates) {
    const path = plan.string(candidate)
    const executable = new Label()
    const next = new Label()
    plan.step(`see whether ${candidate} may be executed`, 'faccessat', [AT_FDCWD, path, X_OK], {
      ignore: notThere,
      onOk: executable,
    })
    plan.step(`see whether ${candidate} exists`, 'faccessat', [AT_FDCWD, path, F_OK], {
      ignore: notThere,
      onIgnored: next,
    })
    plan.step(`remember ${candidate}`, 'move', [errnoTable.EACCES[0]], { result: reason, onOk: next })
    plan.place(executable)
    planChoose(plan, candidate, choice)
    plan.place(next)
  }
  plan.step(FIND, 'fail', [reason], { role })
}

/** Goes on to the next step when `candidate` is a directory. */
function planChoose(plan: Plan, candidate: string, { executable, found }: Choice): void {
  const path = plan.string(candidate)
  const directory = plan.slot('directory')
  const usable = new Label()
  const end = new Label()
  const flags = O_PATH | O_CLOEXEC | plan.arch.O_DIRECTORY
  plan.step(`see whether ${candidate} is a directory`, 'openat', [AT_FDCWD, path, flags], {
    ignore: ['ENOTDIR'],
    result: directory,
    onIgnored: usable,
  })
  plan.step(`close ${candidate}`, 'close', [directory], { onOk: end })
  plan.place(usable)
  plan.step(`choose ${candidate}`, 'move', [path], { result: executable, onOk: found })
  plan.place(end)
}
