import type { Mount } from './spec.ts'

/** A bind mount is one by its type, or by an option whatever the type says: `none`, or nothing, in most callers. */
export function isBind({ type, options = [] }: Pick<Mount, 'type' | 'options'>): boolean {
  return type === 'bind' || options.includes('bind') || options.includes('rbind')
}
