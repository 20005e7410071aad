/**
 * crio-lxc-hook REQUEST ANSWER: runs the hooks of a HookRequest and answers which of them failed, and how. It says nothing
 * on stderr, which is the verb's.
 */
import { readFileSync, writeSync } from 'node:fs'
import { argv, exit } from 'node:process'
import { messageOf } from '@crio-lxc/core/errors/runtime-error'
import type { HookAnswer, HookRequest } from '@crio-lxc/core/hook/hook-request'
import { setsid } from '@crio-lxc/core/sys/libc-process'
import { runHooks } from './run-hooks.ts'

const [request, answer] = argv.slice(2).map(Number)
if (request === undefined || answer === undefined || Number.isNaN(request + answer)) {
  writeSync(2, 'usage: crio-lxc-hook REQUEST ANSWER (run by crio-lxc with two inherited file descriptors)\n')
  exit(1)
}
try {
  // What a terminal sends to the verb must not end this process alone: it sees that the verb is gone, and ends the hook.
  setsid()
  writeSync(answer, JSON.stringify({ failures: failures(request, answer) } satisfies HookAnswer))
} catch {
  exit(1)
}

function failures(request: number, answer: number): string[] {
  try {
    return runHooks(JSON.parse(readFileSync(request, 'utf8')) as HookRequest, answer)
  } catch (error) {
    return [`run hooks: ${messageOf(error)}`]
  }
}
