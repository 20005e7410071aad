/** The thread beside the fuzzer: ends the process when one input takes too long. */
import { writeSync } from 'node:fs'
import { workerData } from 'node:worker_threads'

const { progress, seed, hangMs } = workerData as { progress: Int32Array; seed: number; hangMs: number }
let last = -1
setInterval(() => {
  const now = Atomics.load(progress, 0)
  if (now === last) {
    writeSync(2, `input ${now - 1} of seed ${seed}: hangs\nagain: npm run fuzz -- --seed ${seed} --only ${now - 1}\n`)
    process.kill(process.pid, 'SIGKILL')
  }
  last = now
}, hangMs / 2)
