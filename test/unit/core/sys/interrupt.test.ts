import { Interrupted } from '@crio-lxc/core/errors/interrupted'
import { type EmbeddedThread, engine } from '@crio-lxc/core/sys/engine'
import { close, eventfd, type Fd, pipe, poll, write } from '@crio-lxc/core/sys/fd'
import { afterEach, beforeEach, expect, it } from 'vitest'

// What a thread of an embedding program has, in this one.
let interrupt: Fd
beforeEach(() => {
  interrupt = eventfd()
  Object.assign(engine, { thread: { interrupt } satisfies EmbeddedThread })
})
afterEach(() => {
  Object.assign(engine, { thread: undefined })
  close(interrupt)
})

const giveUp = (): number => write(interrupt, new Uint8Array(BigUint64Array.of(1n).buffer))

it('poll waits as ever until the caller gives up', () => {
  const [end, other] = pipe()
  expect(poll([end], 1)).toEqual([0])
  write(other, 'x')
  expect(poll([end], -1)).toEqual([1])
  giveUp()
  expect(() => poll([end], -1)).toThrow(Interrupted)
  for (const fd of [end, other]) close(fd)
})

it('poll throws once, so that what undoes the call can wait', () => {
  giveUp()
  expect(() => poll([], -1)).toThrow(Interrupted)
  expect(poll([], 1)).toEqual([])
})
