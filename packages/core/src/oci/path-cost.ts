/**
 * What it costs to make the paths of a document that may not exist: for each directory on the way a call with the path as
 * far as it is made, so that a path of n directories costs n squared. Paths of PATH_MAX bytes are valid, and a list of them
 * would keep create busy for minutes before anything exists.
 */
import { SpecError } from '../errors/runtime-error.ts'
import { itemOf } from './field-path.ts'
import type { Spec } from './spec.ts'

/** PATH_MAX has room for as many directories of one letter: the whole document may cost what one such path costs. */
const DEEPEST = 2048
const MOST = DEEPEST ** 2

export class PathCost {
  #sum = 0

  /** Throws a SpecError for the path at `field` with which the document becomes too expensive. */
  add(path: string, field: string): void {
    const directories = path.split('/').length
    this.#sum += directories ** 2
    if (this.#sum <= MOST) return
    const problem = `has ${directories} directories in one another, too many beside those of the paths before it`
    throw new SpecError(field, `${problem}: give fewer or shorter paths`)
  }
}

/** Throws a SpecError for the first path that is too much. */
export function checkPathCost({ process, mounts = [], linux: { devices = [] } = {} }: Spec): void {
  const cost = new PathCost()
  cost.add(process.cwd, 'process.cwd')
  for (const [index, { destination }] of mounts.entries())
    cost.add(destination, `${itemOf('mounts', index)}.destination`)
  for (const [index, { path }] of devices.entries()) cost.add(path, `${itemOf('linux.devices', index)}.path`)
}
