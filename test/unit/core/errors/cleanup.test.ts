import { addCleanup, cleanUp, leftBehind } from '@crio-lxc/core/errors/cleanup'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { SyscallError } from '@crio-lxc/core/errors/syscall-error'
import { expect, test } from 'vitest'

const fails = (message: string) => () => {
  throw new RuntimeError('io', message)
}

test('cleanUp() runs every step, and the failures go with the error', () => {
  const error = new Error('why')
  const ran: string[] = []
  cleanUp(error, [() => ran.push('one'), fails('remove a'), () => ran.push('two'), fails('remove b')])
  expect(ran).toEqual(['one', 'two'])
  expect(leftBehind(error)).toBe(': left behind: remove a; remove b')
})

test('leftBehind() says everything of several clean-ups once, those of clean-ups too', () => {
  const [error, inner] = [new RuntimeError('io', 'why'), new Error('remove c')]
  cleanUp(inner, [fails('remove d')])
  cleanUp(error, [fails('remove a')])
  cleanUp(error, [fails('remove a')])
  addCleanup(error, inner)
  expect(leftBehind(error)).toBe(': left behind: remove a; remove c; remove d')
})

test('leftBehind() words what a system call says', () => {
  const error = new Error('why')
  addCleanup(error, new SyscallError('rmdir /x', 16))
  expect(leftBehind(error)).toBe(': left behind: rmdir /x: device or resource busy')
})

test.each([[undefined], ['text'], [new Error('why')]])('leftBehind() of %s without failures is empty', (error) => {
  addCleanup(undefined, new Error('lost'))
  expect(leftBehind(error)).toBe('')
})
