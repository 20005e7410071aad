/**
 * crio-lxc-hook REQUEST ANSWER: runs the hooks of a HookRequest and answers which of them failed, and how. What it says on
 * stderr, the verb reads when there is no answer.
 */

import { decode } from '@crio-lxc/core/abi/bytes'
import { messageOf } from '@crio-lxc/core/errors/runtime-error'
import type { HookAnswer, HookRequest } from '@crio-lxc/core/hook/hook-request'
import { closeOnExec, readToEnd, writeAll } from '@crio-lxc/core/sys/fd'
import { setsid } from '@crio-lxc/core/sys/process'
import { exit, programArguments } from '@crio-lxc/core/sys/program'
import { runHooks } from './run-hooks.ts'

const [request, answer] = programArguments.map(Number)
if (request === undefined || answer === undefined || Number.isNaN(request + answer)) {
  writeAll(2, 'usage: crio-lxc-hook REQUEST ANSWER (run by crio-lxc with two inherited file descriptors)\n')
  exit(1)
}
try {
  // Neither is for what becomes a hook: the verb would wait for that to close them.
  closeOnExec(request)
  closeOnExec(answer)
  // What a terminal sends to the verb must not end this process alone: it sees that the verb is gone, and ends the hook.
  setsid()
  writeAll(answer, JSON.stringify({ failures: failures(request, answer) } satisfies HookAnswer))
} catch (error) {
  writeAll(2, `${messageOf(error)}\n`)
  exit(1)
}

function failures(request: number, answer: number): string[] {
  try {
    return runHooks(JSON.parse(decode(readToEnd(request))) as HookRequest, answer)
  } catch (error) {
    return [`run hooks: ${messageOf(error)}`]
  }
}
