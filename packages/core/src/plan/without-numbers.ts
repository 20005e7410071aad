import type { PrintedStep } from './print.ts'

/**
 * The steps as lines that say nothing of their numbers: one step more or less changes its own line and no other. Where a
 * plan goes on stands in words of the step. PURE.
 */
export function withoutNumbers(steps: readonly PrintedStep[]): string[] {
  return steps.map(({ what, call, next }) => `${what}: ${call}${next ? `  [${inWords(next, steps)}]` : ''}`)
}

function inWords(next: string, steps: readonly PrintedStep[]): string {
  return next.replace(/\bgo to (\d+)/g, (_, step: string) => {
    const at = steps[Number(step)]
    return `go to ${at ? `"${at.what}"` : 'the end'}`
  })
}
