/** What was probably meant by variables that nothing reads. Loaded only where there is one. */

import { closest } from './closest.ts'
import { globalOptions } from './global-options.ts'
import type { Option } from './option.ts'

const known = Object.values(globalOptions).flatMap(({ env }: Option) => (env === undefined ? [] : [env]))

/** A sentence. */
export function unknownVariable(name: string, where: string): string {
  const meant = closest(
    name.slice('CRIO_LXC_'.length),
    known.map((variable) => variable.slice('CRIO_LXC_'.length)),
  )
  const hint = meant === undefined ? 'crio-lxc config lists those that there are' : `did you mean CRIO_LXC_${meant}?`
  return `unknown variable ${name} in ${where}: ${hint}`
}
