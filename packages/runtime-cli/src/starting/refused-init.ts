import type { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { parseJson } from '@crio-lxc/core/oci/json'
import type { Spec } from '@crio-lxc/core/oci/spec'
import { readFile } from '@crio-lxc/core/sys/files'
import { environmentOf, executableCandidates } from '@crio-lxc/init/environment'
import { type RefusedExecution, sayWhyRefused } from '../entering/refused-execution.ts'
import { programsOf } from '../installation/programs.ts'
import type { Settings } from '../settings.ts'

export interface RefusedInit extends Pick<RefusedExecution, 'pid' | 'pidfd' | 'errno'> {
  /** Path of config.json, as create kept it. */
  readonly config: string
}

/** The same for the init of a container that is being started. */
export function sayWhyInitRefused(settings: Settings, { config, ...refused }: RefusedInit): RuntimeError {
  const { process } = parseJson(readFile(config), config) as Spec
  const [command = ''] = process.args
  const candidates = executableCandidates(command, environmentOf(process, undefined))
  const { executor } = programsOf(settings)
  return sayWhyRefused({ ...refused, command, candidates, cwd: process.cwd, executor })
}
