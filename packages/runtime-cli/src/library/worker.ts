/** The thread of a call: it makes itself a place of its own, runs the verb, answers and ends. */
import '@crio-lxc/core/sys/node-engine'
import { parentPort, workerData } from 'node:worker_threads'
import { closeLogging, configureLogging } from '@crio-lxc/core/host/log/logger'
import { engine } from '@crio-lxc/core/sys/engine'
import { unshareFilesystem } from '@crio-lxc/core/sys/process'
import { toFailure } from './failure.ts'
import { makeStage } from './stage.ts'
import type { Answer, Call } from './thread.ts'
import { verbs } from './verbs.ts'

const { verb, args, libexec, log, interrupt, over } = workerData as Call
// biome-ignore lint/suspicious/noExplicitAny: thread.ts has checked what the verb is given
const run = verbs[verb] as (...args: any[]) => Promise<unknown>
Object.assign(engine, { libexec, thread: { interrupt } })
parentPort?.postMessage(await answer())
Atomics.store(new Int32Array(over), 0, 1)
Atomics.notify(new Int32Array(over), 0)

async function answer(): Promise<Answer> {
  try {
    unshareFilesystem()
    if (log) await configureLogging(log)
    makeStage(libexec)
    return { value: await run(...args) }
  } catch (error) {
    return { failure: toFailure(error) }
  } finally {
    closeLogging()
  }
}
