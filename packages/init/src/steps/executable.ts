/** Steps that find the executable as the container's user, so that a missing one fails before anything waits for start. */
import { AT_FDCWD, F_OK, O_CLOEXEC, O_PATH, X_OK } from '@crio-lxc/core/abi/constants'
import { type Errno, errnoTable } from '@crio-lxc/core/abi/errno'
import { Label, type Plan, type Slot } from '@crio-lxc/core/plan/plan'

/** The words of the steps whose errno says why nothing can be executed. */
export const FIND_EXECUTABLE = 'find the executable'

const notThere: readonly Errno[] = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'EACCES']

/** Returns the word that will hold the address of the path to execute: the first candidate that is no directory. */
export function planFindExecutable(plan: Plan, candidates: readonly string[]): Slot {
  const executable = plan.slot('executable')
  const reason = plan.slot('reason')
  const found = new Label()
  const only = candidates.length === 1
  plan.step('expect to find nothing', 'move', [errnoTable.ENOENT[0]], { result: reason })
  for (const candidate of candidates) {
    const path = plan.string(candidate)
    const directory = plan.slot('directory')
    const checkKind = new Label()
    const denied = new Label()
    const usable = new Label()
    const next = new Label()
    if (only) plan.step(FIND_EXECUTABLE, 'faccessat', [AT_FDCWD, path, X_OK])
    else {
      plan.step(`see whether ${candidate} may be executed`, 'faccessat', [AT_FDCWD, path, X_OK], {
        ignore: notThere,
        onOk: checkKind,
      })
      plan.step(`see whether ${candidate} exists`, 'faccessat', [AT_FDCWD, path, F_OK], {
        ignore: notThere,
        onIgnored: next,
        onOk: denied,
      })
    }
    plan.place(checkKind)
    const flags = O_PATH | O_CLOEXEC | plan.arch.O_DIRECTORY
    plan.step(`see whether ${candidate} is a directory`, 'openat', [AT_FDCWD, path, flags], {
      ignore: ['ENOTDIR'],
      result: directory,
      onIgnored: usable,
    })
    plan.step(`close ${candidate}`, 'close', [directory])
    plan.place(denied)
    plan.step(`remember ${candidate}`, 'move', [errnoTable.EACCES[0]], { result: reason, onOk: next })
    plan.place(usable)
    plan.step(`choose ${candidate}`, 'move', [path], { result: executable, onOk: found })
    plan.place(next)
  }
  plan.step(FIND_EXECUTABLE, 'fail', [reason])
  plan.place(found)
  return executable
}
