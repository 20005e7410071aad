import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3, // U+00B5
  μs: 1e-3, // U+03BC
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/**
 * Milliseconds of a duration in Go's spelling (time.ParseDuration): `60s`, `1m30s`, `1.5h`, `0`. A negative one is
 * refused, as no timeout can be.
 */
export function parseGoDuration(text: string): number {
  if (text === '0') return 0
  const seconds = wholeSeconds(text)
  return seconds === undefined ? parseParts(text) : seconds * 1000
}

/** What the defaults are, five of which every verb reads: a pattern takes the engine five times as long. */
function wholeSeconds(text: string): number | undefined {
  const last = text.length - 1
  if (last < 1 || last > 9 || text[last] !== 's') return undefined
  let seconds = 0
  for (let at = 0; at < last; at++) {
    const digit = text.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) return undefined
    seconds = seconds * 10 + digit
  }
  return seconds
}

function parseParts(text: string): number {
  const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y
  let ms = 0
  let end = 0
  for (let match = part.exec(text); match !== null; match = part.exec(text)) {
    ms += Number(match[1]) * (unitMs[match[2] ?? ''] ?? Number.NaN)
    end = part.lastIndex
  }
  if (end === 0 || end !== text.length)
    throw new RuntimeError('usage', `invalid duration ${JSON.stringify(text)}: want a form like 60s, 1m30s or 500ms`)
  return ms
}
