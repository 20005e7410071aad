/** Numbers that are no id: system calls take them for "no change", and the process stays root. */
import type { Spec } from '../../support/spec.ts'
import { type Attack, bare } from '../attack.ts'

const NO_CHANGE = 0xffffffff

function asked(field: string, change: (user: Spec['process']['user']) => void, fooledBy: RegExp): Attack {
  return {
    name: `${field} is 4294967295, which changes nothing`,
    lesson: 'setresuid(2): "no change"',
    prepare: ({ bundle: { spec } }) => {
      bare(spec)
      change(spec.process.user)
    },
    script: 'id -u; id -g; id -G',
    fooledBy,
  }
}

export const idAttacks: readonly Attack[] = [
  asked('process.user.uid', (user) => Object.assign(user, { uid: NO_CHANGE, gid: 1000 }), /^0$/m),
  asked('process.user.gid', (user) => Object.assign(user, { uid: 1000, gid: NO_CHANGE }), /^0$/m),
  asked(
    'process.user.additionalGids[0]',
    (user) => Object.assign(user, { uid: 1000, gid: 1000, additionalGids: [NO_CHANGE] }),
    /^0$/m,
  ),
]
