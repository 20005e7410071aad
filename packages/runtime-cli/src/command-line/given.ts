/** What this process was given to choose its settings by, and what is wrong with it. */

import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { log } from '@crio-lxc/core/host/log/logger'
import { fileExists } from '@crio-lxc/core/sys/files'
import type { Command } from './command.ts'
import type { Given } from './configuration.ts'
import { type GlobalValues, knowsVariable } from './global-options.ts'

const DEFAULTS_PATH = '/etc/default/crio-lxc'

/** With the defaults file, where there is one: that of CRIO_LXC_DEFAULTS, or /etc/default/crio-lxc. */
export async function givenBy(values: GlobalValues, env: Given['env']): Promise<Given> {
  const named = env['CRIO_LXC_DEFAULTS']
  // Nothing more is loaded on a host without one.
  if (!named && !fileExists(DEFAULTS_PATH)) return { values, env }
  const { readDefaultsFile } = await import('./defaults-file.ts')
  return { values, env, file: readDefaultsFile(named || DEFAULTS_PATH) }
}

/**
 * A defaults file that is wrong stops what would start something under other settings than the operator's; what looks after
 * containers goes on without it. Throws RuntimeError `usage`.
 */
export async function reportProblems({ env, file }: Given, { needsDefaults }: Command): Promise<void> {
  const unknown = unknownVariables(env)
  if (file === undefined && unknown.length === 0) return
  const [problem] = file?.problems ?? []
  if (problem !== undefined && needsDefaults) throw new RuntimeError('usage', problem)
  if (problem !== undefined) log.warn(`${problem}: the defaults file is ignored`, { c: 'cli' })
  const { unknownVariable } = await import('./variable-hints.ts')
  for (const name of unknown) log.warn(unknownVariable(name, 'the environment'), { c: 'cli' })
  for (const name of file?.unknown ?? []) log.warn(unknownVariable(name, file?.path ?? ''), { c: 'cli' })
}

/** Variables of the environment with our prefix that nothing reads. */
export function unknownVariables(env: Given['env']): string[] {
  const unknown: string[] = []
  for (const name in env) if (name.startsWith('CRIO_LXC_') && !knowsVariable(name)) unknown.push(name)
  return unknown
}
