import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parsePrototype } from '@crio-lxc/core/sys/bun-ffi'
import { expect, test } from 'vitest'

test.each([
  ['int close(int fd)', 'close', ['i32'], 'i32'],
  ['int pipe2(void *fds, int flags)', 'pipe2', ['ptr', 'i32'], 'i32'],
  ['void *seccomp_init(uint32_t action)', 'seccomp_init', ['u32'], 'ptr'],
  ['void seccomp_release(void *context)', 'seccomp_release', ['ptr'], 'void'],
  ['int getppid()', 'getppid', [], 'i32'],
  [
    'int prctl(int option, unsigned long value, long, long, long)',
    'prctl',
    ['i32', 'u64_fast', 'i64_fast', 'i64_fast', 'i64_fast'],
    'i32',
  ],
  [
    'int posix_spawn(void *pid, const char *path, void *actions, void *attributes, const char **argv, const char **envp)',
    'posix_spawn',
    ['ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr'],
    'i32',
  ],
  ['intptr_t signal(int signal, intptr_t handler)', 'signal', ['i32', 'i64_fast'], 'i64_fast'],
])('%s', (prototype, symbol, args, returns) => {
  expect(parsePrototype(prototype)).toEqual({ symbol, definition: { args, returns } })
})

test('a type that is not known is an error', () => {
  expect(() => parsePrototype('double sin(double x)')).toThrow('no type of bun:ffi is known for "double x"')
})

test('every prototype that core declares can be read', () => {
  const sys = resolve(import.meta.dirname, '../../../../packages/core/src/sys')
  const prototypes = readdirSync(sys).flatMap((name) =>
    [...readFileSync(join(sys, name), 'utf8').matchAll(/'((?:int|long|void|intptr_t|uint32_t) \*?\w+\([^']*\))'/g)].map(
      ([, prototype = '']) => prototype,
    ),
  )
  expect(prototypes.length).toBeGreaterThan(30)
  for (const prototype of prototypes) expect(() => parsePrototype(prototype), prototype).not.toThrow()
})
