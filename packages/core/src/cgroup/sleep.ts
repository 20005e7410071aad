const never = new Int32Array(new SharedArrayBuffer(4))

/** Blocks this thread: for what no file announces. */
export function sleep(ms: number): void {
  Atomics.wait(never, 0, 0, ms)
}
