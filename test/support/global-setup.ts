import { modeAndOwner } from './proc.ts'

/** A runtime that hands a stdio device to a container's user changes the whole host: checked around every run. */
const nullDevice = '666 0:0'

export function setup(): void {
  check('before')
}

export function teardown(): void {
  check('after')
}

function check(when: string): void {
  const found = modeAndOwner('/dev/null')
  if (found !== nullDevice) throw new Error(`/dev/null is ${found} ${when} the tests, it must be ${nullDevice}`)
}
