import { type Fd, pipe } from '@crio-lxc/core/sys/fd'
import { type FdScope, withFds, withFdsAsync } from '@crio-lxc/core/sys/fd-scope'
import { fstat } from '@crio-lxc/core/sys/files'
import { afterEach, expect, test } from 'vitest'

const left: Fd[] = []
afterEach(() =>
  withFds((fds) => {
    for (const fd of left.splice(0)) fds.keep(fd)
  }),
)

const isOpen = (fd: Fd): boolean => {
  try {
    return fstat(fd).isFIFO()
  } catch {
    return false
  }
}

/** Keeps both ends of a pipe, and releases the second. */
function open(fds: FdScope): [Fd, Fd] {
  const [first, second] = pipe()
  expect(fds.keep(first)).toBe(first)
  fds.keep(second)
  left.push(fds.release(second))
  expect([first, second].map(isOpen)).toEqual([true, true])
  return [first, second]
}

test('withFds() closes at the end what was kept and not released', () => {
  expect(withFds(open).map(isOpen)).toEqual([false, true])
})

test('withFds() closes it after an error, too', () => {
  const opened: Fd[] = []
  const failing = (): void =>
    withFds((fds) => {
      opened.push(...open(fds))
      throw new Error('no')
    })
  expect(failing).toThrow('no')
  expect(opened.map(isOpen)).toEqual([false, true])
})

test('withFdsAsync() closes only when all is done', async () => {
  const opened = await withFdsAsync(async (fds) => {
    const pair = open(fds)
    await Promise.resolve()
    expect(pair.map(isOpen)).toEqual([true, true])
    return pair
  })
  expect(opened.map(isOpen)).toEqual([false, true])
})
