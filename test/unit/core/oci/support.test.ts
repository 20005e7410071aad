import type { Support, SupportTable } from '@crio-lxc/core/oci/decision'
import type { Linux } from '@crio-lxc/core/oci/linux'
import type { Mount } from '@crio-lxc/core/oci/spec'
import { expectTypeOf, test } from 'vitest'

/** Checked by the compiler: `npm run lint`. */
test('SupportTable demands a decision for every field', () => {
  expectTypeOf<SupportTable<Mount>>().not.toBeAny()
  type Keys = keyof SupportTable<Mount>
  expectTypeOf<Keys>().toEqualTypeOf<keyof Mount>()
  const partial = { destination: 'supported', type: 'supported', source: 'supported', options: 'supported' } as const
  // @ts-expect-error uidMappings and gidMappings are undecided
  const table: SupportTable<Mount> = partial
  // @ts-expect-error an object is decided by its fields
  const seccomp: SupportTable<Linux>['seccomp'] = 'supported'
  // @ts-expect-error every value of an enumeration is decided
  const values: Support<'a' | 'b'> = { values: { a: 'supported' } }
  void [table, seccomp, values]
})
