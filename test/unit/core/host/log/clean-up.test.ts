import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { SyscallError } from '@crio-lxc/core/errors/syscall-error'
import { cleanUp, leftBehind, noteLeftBehind } from '@crio-lxc/core/host/log/clean-up'
import { closeLogging, configureLogging } from '@crio-lxc/core/host/log/logger'
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
  noteLeftBehind(error, inner)
  expect(leftBehind(error)).toBe(': left behind: remove a; remove c; remove d')
})

test('leftBehind() words what a system call says', () => {
  const error = new Error('why')
  noteLeftBehind(error, new SyscallError('rmdir /x', 16))
  expect(leftBehind(error)).toBe(': left behind: rmdir /x: device or resource busy')
})

test.each([[undefined], ['text'], [new Error('why')]])('leftBehind() of %s without failures is empty', (error) => {
  noteLeftBehind(undefined, new Error('lost'))
  expect(leftBehind(error)).toBe('')
})

test('leftBehind() tells what the causes of an error could not undo', () => {
  const cause = new SyscallError('write(7)', 28)
  cleanUp(cause, [fails('remove a')])
  const error = new RuntimeError('io', 'why', { cause: new RuntimeError('io', 'because', { cause }) })
  expect(leftBehind(error)).toBe(': left behind: remove a')
})

test('cleanUp() logs each failure, of a verb that has succeeded too', async () => {
  const lines: string[] = []
  const write = (level: string, message: string, { c }: { c?: string | undefined }): void =>
    void lines.push(`${level} ${c} ${message}`)
  await configureLogging({ fallback: { least: 'info', write } })
  cleanUp(undefined, [fails('remove a')])
  cleanUp(new Error('why'), [fails('remove b')])
  closeLogging()
  expect(lines).toEqual(['info cleanup left behind: remove a', 'info cleanup left behind: remove b'])
})
