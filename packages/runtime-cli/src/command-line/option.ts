/**
 * One option of the command line. The tables of options (global-options.ts, commands/) are the only place where an
 * option is declared: the parser, the help, the completion and the types of the values come from them.
 */
export interface Option {
  /** `boolean` takes no value, `count` a non-negative integer, `list` may be repeated; the last `string` wins. */
  readonly type: 'boolean' | 'string' | 'count' | 'list'
  readonly describe: string
  /** One letter, for `-x`. */
  readonly alias?: string
  /** Environment variable that stands in for the option; an empty one counts as unset. */
  readonly env?: string
  /** What help shows for the value, e.g. `FILE`. */
  readonly value?: string
  /** What applies without option and variable, in the spelling of the command line. */
  readonly default?: string
  /** The values that are accepted. */
  readonly choices?: readonly string[]
}

/** Options by their long name. */
export type Options = Readonly<Record<string, Option>>

/** What was given for a table of options; absent when it was not given. */
export type Values<O extends Options> = { readonly [K in keyof O]?: ValueOf<O[K]['type']> }

type ValueOf<T extends Option['type']> = T extends 'boolean'
  ? boolean
  : T extends 'count'
    ? number
    : T extends 'list'
      ? readonly string[]
      : string
