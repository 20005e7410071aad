/** The settings as `crio-lxc config` prints them. PURE. */

import { findValue, type Given, type Name } from './configuration.ts'
import { globalOptions } from './global-options.ts'
import type { Option } from './option.ts'

export interface SettingRow {
  /** The option's. */
  readonly name: string
  readonly value: string
  /** `flag`, the variable, the variable and its file, or `default`. */
  readonly from: string
}

/** Options that ask for something once are no settings. */
const asked: ReadonlySet<string> = new Set(['help', 'version'])

export function settingRows(given: Given): SettingRow[] {
  return (Object.keys(globalOptions) as Name[])
    .filter((name) => !asked.has(name))
    .map((name) => {
      const { text, source, variable = '' } = findValue(given, name)
      const from = {
        flag: 'flag',
        environment: variable,
        file: `${variable} in ${given.file?.path}`,
        default: 'default',
      }
      return { name, value: text, from: from[source] }
    })
}

/** A defaults file in which every line is a comment. */
export function defaultsText(): string {
  const entries = Object.entries(globalOptions as Readonly<Record<string, Option>>).flatMap(([name, option]) =>
    option.env === undefined ? [] : [entry(name, option, option.env)],
  )
  return `# Settings of crio-lxc for callers that give none. A flag goes before a variable of the environment, that before a line
# here. KEY=VALUE, nothing is expanded; root's, writable by nobody else. \`crio-lxc config\` shows what applies.

${entries.join('\n')}`
}

function entry(name: string, { describe, choices, default: value = '' }: Option, variable: string): string {
  const values = choices === undefined ? '' : ` (${choices.join(', ')})`
  return `# --${name}: ${describe}${values}\n#${variable}=${value}\n`
}
