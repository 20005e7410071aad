import { errnoTable } from '@crio-lxc/core/abi/errno'
import type { StepMeaning } from '@crio-lxc/core/plan/plan'
import { expect, test } from 'vitest'
import { type FailedStep, stepError } from '../../../../packages/runtime-cli/src/plan-process/step-error.ts'

const { EPERM, ENOENT, EACCES, EISDIR } = errnoTable

const failed = (step: Partial<FailedStep>, errno: number, command = 'sh'): string =>
  stepError('create-failed', { what: 'do it', ...step }, { call: 'call(1)', errno, command }).message

// podman and the kubelet make exit codes of these words.
test.each<[StepMeaning['role'], number, string, string]>([
  ['find-executable', ENOENT[0], 'sh', 'exec: "sh": executable file not found in $PATH'],
  ['find-executable', ENOENT[0], '/sh', 'exec: "/sh": stat /sh: no such file or directory'],
  ['find-executable', EISDIR[0], '/sh', 'exec: "/sh": it is a directory: permission denied'],
  ['find-executable', EACCES[0], '/sh', 'exec: "/sh": permission denied'],
  ['execute', ENOENT[0], 'sh', 'exec: "sh": no such file or directory'],
])('a step with the role %s, and errno %i of %s', (role, errno, command, sentence) => {
  expect(failed(role === undefined ? {} : { role }, errno, command)).toBe(sentence)
})

test('a step without a role says what it did, the call, why it failed, and what to do about that', () => {
  const advice = { EPERM: 'lower it' }
  expect(failed({ advice }, EPERM[0])).toBe('do it: call(1): operation not permitted: lower it')
  expect(failed({ advice }, EACCES[0])).toBe('do it: call(1): permission denied')
  expect(failed({ call: 'openat2', advice: { ENOENT: 'make it' } }, ENOENT[0])).toBe(
    'do it: no such file or directory: make it',
  )
  expect(failed({ call: 'fail' }, EPERM[0])).toBe('do it')
})
