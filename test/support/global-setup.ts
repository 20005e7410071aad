import { existsSync, readdirSync, rmdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { modeAndOwner } from './proc.ts'
import { runtimePath } from './runtime.ts'

/** A runtime that hands a stdio device to a container's user changes the whole host: checked around every run. */
const nullDevice = '666 0:0'

/**
 * What callers make outside of what they are told, the deepest first. Each test file has its own callers, which share
 * these, so that none can say when the last one is done with them.
 */
const compiledIn = [
  '/run/containerd/fifo',
  '/run/containerd/s',
  '/run/containerd',
  '/run/containers/networks',
  '/run/containers',
  // liblxc's, of the tests that use its handles themselves.
  '/run/lxc/lock/crio-lxc',
  '/run/lxc/lock/tmp',
  '/run/lxc/lock',
  '/run/lxc',
]
const strays = compiledIn.filter((path) => !existsSync(path))

export function setup(): void {
  requireOpen(runtimePath)
  check('before')
}

export function teardown(): void {
  for (const stray of strays) if (existsSync(stray) && readdirSync(stray).length === 0) rmdirSync(stray)
  check('after')
}

/** Containers whose root is no user of the host start from files beside the runtime: one sentence, not a hundred failures. */
function requireOpen(path: string): void {
  const directory = dirname(path)
  if (directory !== path) requireOpen(directory)
  if (statSync(path).mode & 0o001) return
  throw new Error(
    `only its owner can enter ${path}: chmod o+x it, or move the checkout to where every user can reach it`,
  )
}

function check(when: string): void {
  const found = modeAndOwner('/dev/null')
  if (found !== nullDevice) throw new Error(`/dev/null is ${found} ${when} the tests, it must be ${nullDevice}`)
}
