/** conmon as a child process: its arguments, the pipes that it finds through _OCI_*PIPE, and what it writes there. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { findProgram } from './find-program.ts'

/** One JSON line of the sync pipe (conmon 2.1 src/utils.c, CRI-O's syncInfo and exitCodeInfo). */
export interface SyncRecord {
  /** Of the container's process; -1 when the runtime failed. Named `data` from --api-version 1 on. */
  readonly pid?: number
  readonly data?: number
  /** Of `-e`; -1 when the runtime failed or the time ran out. */
  readonly exit_code?: number
  readonly message?: string
}

const places = ['/usr/bin/conmon', '/usr/libexec/podman/conmon', '/usr/libexec/crio/conmon']

/** Absolute path of conmon. */
export function conmonPath(): string {
  return findProgram('conmon', places)
}

export interface ConmonOptions {
  readonly cwd: string
  /** File that conmon's own stderr is appended to. */
  readonly errors: string
  /** Adds the attach pipe. */
  readonly withAttach?: boolean
}

export interface ConmonCall {
  readonly sync: { readonly first: Promise<SyncRecord> }
  readonly attach?: { readonly first: Promise<SyncRecord> }
  readonly start: Writable
  /** The end of the process that was started; the one that monitors may be its child. */
  readonly ended: Promise<void>
}

/** Starts conmon with an environment of nothing but its pipes, and tells it to go on. */
export function startConmon(args: readonly string[], { cwd, errors, withAttach = false }: ConmonOptions): ConmonCall {
  const stderr = openSync(errors, 'a')
  const child = spawn(conmonPath(), args, {
    cwd,
    env: { _OCI_SYNCPIPE: '3', _OCI_STARTPIPE: '4', ...(withAttach ? { _OCI_ATTACHPIPE: '5' } : {}) },
    stdio: ['ignore', 'ignore', stderr, 'pipe', 'pipe', ...(withAttach ? (['pipe'] as const) : [])],
  })
  closeSync(stderr)
  const [, , , syncPipe, startPipe, attachPipe] = child.stdio as (Readable | Writable)[]
  const start = startPipe as Writable
  // conmon closes its end as soon as it has read the byte.
  start.on('error', () => {})
  start.write('\0')
  return {
    sync: recordsOf(syncPipe as Readable),
    ...(attachPipe === undefined ? {} : { attach: recordsOf(attachPipe as Readable) }),
    start,
    ended: whenEnded(child),
  }
}

function recordsOf(pipe: Readable): { first: Promise<SyncRecord> } {
  let text = ''
  const first = new Promise<SyncRecord>((resolve, reject) => {
    pipe.on('data', (data: Buffer) => {
      text += data.toString()
      if (text.includes('\n')) resolve(JSON.parse(text.slice(0, text.indexOf('\n'))) as SyncRecord)
    })
    pipe.on('error', reject)
    pipe.on('close', () => reject(new Error(`conmon closed the pipe, having written ${JSON.stringify(text)}`)))
  })
  first.catch(() => {})
  return { first }
}

function whenEnded(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.on('exit', () => resolve())
    child.on('error', reject)
  })
}
