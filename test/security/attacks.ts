/** The attacks by image and config.json that one container is enough for. docs/security-comparison.md is made of them. */
import type { Attack } from './attack.ts'
import { falseProcAttacks } from './attacks/false-proc.ts'
import { idAttacks } from './attacks/ids.ts'
import { nodeAttacks } from './attacks/image-nodes.ts'
import { linkedRootAttacks } from './attacks/linked-roots.ts'
import { linkAttacks } from './attacks/links.ts'
import { missingProcAttacks } from './attacks/missing-proc.ts'
import { remountAttacks } from './attacks/remounts.ts'
import { textAttacks } from './attacks/texts.ts'

export const attacks: readonly Attack[] = [
  ...linkAttacks,
  ...nodeAttacks,
  ...textAttacks,
  ...falseProcAttacks,
  ...missingProcAttacks,
  ...linkedRootAttacks,
  ...remountAttacks,
  ...idAttacks,
]
