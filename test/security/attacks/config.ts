/** What the attacks change in a config.json, and what of the host it names. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Spec } from '../../support/spec.ts'
import { bare, type Scene } from '../attack.ts'

/** An attack by config.json alone, from bare(). */
export const edit = (change: (spec: Spec, scene: Scene) => void) => (scene: Scene) => {
  bare(scene.bundle.spec)
  change(scene.bundle.spec, scene)
}

/** A directory of the host that the spec gives to the container. */
export function volume({ bundle }: Scene): string {
  const path = join(bundle.path, 'volume')
  mkdirSync(path, { recursive: true })
  return path
}
