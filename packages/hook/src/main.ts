/**
 * crio-lxc-hook REQUEST ANSWER: runs the hooks of a HookRequest and answers which of them failed, and how. What it says on
 * stderr, the verb reads when there is no answer.
 */
import { readFileSync, writeSync } from 'node:fs'
import { argv, exit } from 'node:process'
import { messageOf } from '@crio-lxc/core/errors/runtime-error'
import type { HookAnswer, HookRequest } from '@crio-lxc/core/hook/hook-request'
import { closeOnExec } from '@crio-lxc/core/sys/libc'
import { setsid } from '@crio-lxc/core/sys/libc-process'
import { runHooks } from './run-hooks.ts'

const [request, answer] = argv.slice(2).map(Number)
if (request === undefined || answer === undefined || Number.isNaN(request + answer)) {
  writeSync(2, 'usage: crio-lxc-hook REQUEST ANSWER (run by crio-lxc with two inherited file descriptors)\n')
  exit(1)
}
try {
  // Neither is for what becomes a hook: the verb would wait for that to close them.
  closeOnExec(request)
  closeOnExec(answer)
  // What a terminal sends to the verb must not end this process alone: it sees that the verb is gone, and ends the hook.
  setsid()
  writeSync(answer, JSON.stringify({ failures: failures(request, answer) } satisfies HookAnswer))
} catch (error) {
  writeSync(2, `${messageOf(error)}\n`)
  exit(1)
}

function failures(request: number, answer: number): string[] {
  try {
    return runHooks(JSON.parse(readFileSync(request, 'utf8')) as HookRequest, answer)
  } catch (error) {
    return [`run hooks: ${messageOf(error)}`]
  }
}
