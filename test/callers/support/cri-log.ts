import { existsSync, readFileSync } from 'node:fs'

/** What a log holds of the two streams. */
export interface Streams {
  readonly stdout: string
  readonly stderr: string
}

/** The streams of a log in the CRI format: `TIME STREAM F|P TEXT` lines. */
export function readLog(path: string): Streams {
  const streams = { stdout: '', stderr: '' }
  if (!existsSync(path)) return streams
  for (const [, stream, tag, text] of readFileSync(path, 'utf8').matchAll(/^\S+ (stdout|stderr) ([FP]) (.*)$/gm))
    streams[stream as 'stdout' | 'stderr'] += tag === 'F' ? `${text}\n` : text
  return streams
}
