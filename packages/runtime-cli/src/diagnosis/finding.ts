/** One thing that was looked at on this host, and what it means for containers. */
export interface Finding {
  /** In a word or two: `cgroups`. */
  readonly name: string
  readonly verdict: Verdict
  /** What is there, as short as it can be said. */
  readonly found: string
  /** What to do; with every verdict but `ok`. */
  readonly advice?: string
}

/** `problem`: containers cannot be made, or not safely; `warning`: some cannot, or something will fail later. */
export type Verdict = 'ok' | 'warning' | 'problem'

export function ok(name: string, found: string): Finding {
  return { name, verdict: 'ok', found }
}

export function warning(name: string, found: string, advice: string): Finding {
  return { name, verdict: 'warning', found, advice }
}

export function problem(name: string, found: string, advice: string): Finding {
  return { name, verdict: 'problem', found, advice }
}

/** The findings of one subject, or the one that says that all is well. */
export function orOk(findings: readonly Finding[], name: string, found: string): readonly Finding[] {
  return findings.length > 0 ? findings : [ok(name, found)]
}
