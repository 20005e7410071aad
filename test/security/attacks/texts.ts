/** Values and paths that parsers have stumbled over. */
import type { Attack } from '../attack.ts'
import { edit } from './config.ts'

export const textAttacks: readonly Attack[] = [
  ...[
    ['a+kernel.core_pattern=/tmp/x', 'CVE-2022-0811'],
    ['1\nkernel.core_pattern = x', 'CVE-2022-0811'],
    ['1\0', 'CVE-2022-0811'],
  ].map(
    ([value = '', lesson = '']): Attack => ({
      name: `kernel.shmmni is set to ${JSON.stringify(value)}`,
      lesson,
      prepare: edit((spec) => Object.assign(spec.linux, { sysctl: { 'kernel.shmmni': value } })),
    }),
  ),
  ...[
    'kernel.core_pattern',
    'kernel/core_pattern',
    'kernel.shmmni/../core_pattern',
    'net/../kernel/core_pattern',
    'net.a+b',
    '',
  ].map(
    (key): Attack => ({
      name: `the sysctl ${JSON.stringify(key)}`,
      lesson: 'CVE-2022-0811',
      prepare: edit((spec) => Object.assign(spec.linux, { sysctl: { [key]: '1' } })),
    }),
  ),
  ...[
    ['options', { destination: '/m', type: 'tmpfs', source: 'tmpfs', options: ['x'.repeat(65536)] }],
    ['source', { destination: '/m', type: 'tmpfs', source: 'x'.repeat(65536) }],
    ['destination', { destination: `/${'x'.repeat(65536)}`, type: 'tmpfs', source: 'tmpfs' }],
  ].map(
    ([field, mount]): Attack => ({
      name: `64 KiB in the ${field as string} of a mount`,
      lesson: 'CVE-2021-43784',
      prepare: edit((spec) => spec.mounts.push(mount as (typeof spec.mounts)[number])),
    }),
  ),
]
