import { phrase } from '@crio-lxc/core/errors/codes'
import { ErrExist, ErrNotExist, ErrNotRunning } from '@crio-lxc/core/errors/container-errors'
import { expect, test } from 'vitest'

// Programs search for these words: CRI-O's runtimeCmd, containerd's checkKillError and delete, podman's state.
test('the phrases that callers read', () => {
  expect(phrase).toEqual({
    exists: 'container with given ID already exists',
    notExist: 'container does not exist',
    notRunning: 'container not running',
    invalidId: 'invalid container ID format',
    deleteRunning: 'cannot delete container that is not stopped',
    startStopped: 'cannot start a container that has stopped',
    startRunning: 'cannot start an already running container',
    execStopped: 'cannot exec in a stopped container',
    notPaused: 'container not paused',
    execPaused: 'cannot exec in a paused container',
  })
})

test.each([
  [new ErrExist('web'), 'exists', ['container with given ID already exists: web']],
  [new ErrNotExist('web'), 'not-exist', ['container does not exist', 'web']],
  [new ErrNotRunning('web'), 'not-running', ['container not running', 'web']],
] as const)('%s', (error, code, words) => {
  expect(error.code).toBe(code)
  for (const word of words) expect(error.message).toContain(word)
})
