/** eventfd(2): a counter that the kernel adds to, and poll(2) waits for. */
import { call } from './libc.ts'

const EFD_CLOEXEC = 0o2000000
const EFD_NONBLOCK = 0o4000

export function eventfd(): number {
  return call('int eventfd(unsigned int initval, int flags)', [0, EFD_CLOEXEC | EFD_NONBLOCK], () => 'eventfd(0)')
}
