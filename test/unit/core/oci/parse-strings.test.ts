import { parseSpec } from '@crio-lxc/core/oci/parse-spec'
import { describe, expect, test } from 'vitest'
import { type Changes, specWith, thrownBy } from './spec-with.ts'

const parse = (changes: Changes) => parseSpec(JSON.stringify(specWith(changes)))

/** A field of every kind of place, and how it is set to a string; all refuse NUL. */
const strings: [string, (text: string) => Changes, 'line breaks are fine' | 'no line break'][] = [
  ['process.args[1]', (t) => ({ 'process.args[1]': t }), 'line breaks are fine'],
  ['process.env[2]', (t) => ({ 'process.env[2]': `A=${t}` }), 'line breaks are fine'],
  ['annotations.a', (t) => ({ annotations: { a: t } }), 'line breaks are fine'],
  ['hooks.poststop[0].args[0]', (t) => ({ hooks: { poststop: [{ path: '/x', args: [t] }] } }), 'line breaks are fine'],
  ['hooks.poststop[0].path', (t) => ({ hooks: { poststop: [{ path: t }] } }), 'no line break'],
  ['process.cwd', (t) => ({ 'process.cwd': `/${t}` }), 'no line break'],
  ['process.apparmorProfile', (t) => ({ 'process.apparmorProfile': t }), 'no line break'],
  ['process.selinuxLabel', (t) => ({ 'process.selinuxLabel': t }), 'no line break'],
  ['process.capabilities.bounding[0]', (t) => ({ 'process.capabilities.bounding': [t] }), 'no line break'],
  ['root.path', (t) => ({ 'root.path': t }), 'no line break'],
  ['hostname', (t) => ({ hostname: t }), 'no line break'],
  ['domainname', (t) => ({ domainname: t }), 'no line break'],
  ['mounts[1].destination', (t) => ({ 'mounts[1].destination': t }), 'no line break'],
  ['mounts[1].type', (t) => ({ 'mounts[1].type': t }), 'no line break'],
  ['mounts[1].source', (t) => ({ 'mounts[1].source': t }), 'no line break'],
  ['mounts[1].options[0]', (t) => ({ 'mounts[1].options': [t] }), 'no line break'],
  ['linux.cgroupsPath', (t) => ({ 'linux.cgroupsPath': t }), 'no line break'],
  ['linux.namespaces[0].path', (t) => ({ 'linux.namespaces[0].path': `/${t}` }), 'no line break'],
  [
    'linux.devices[0].path',
    (t) => ({ 'linux.devices': [{ path: `/${t}`, type: 'c', major: 1, minor: 3 }] }),
    'no line break',
  ],
  ['linux.maskedPaths[0]', (t) => ({ 'linux.maskedPaths': [`/${t}`] }), 'no line break'],
  ['linux.readonlyPaths[0]', (t) => ({ 'linux.readonlyPaths': [`/${t}`] }), 'no line break'],
  ['linux.mountLabel', (t) => ({ 'linux.mountLabel': t }), 'no line break'],
  ['linux.sysctl["net.x"]', (t) => ({ 'linux.sysctl': { 'net.x': t } }), 'no line break'],
  ['linux.resources.devices[0].access', (t) => ({ 'linux.resources.devices[0].access': t }), 'no line break'],
  [
    'linux.resources.unified["memory.max"]',
    (t) => ({ 'linux.resources.unified': { 'memory.max': t } }),
    'no line break',
  ],
  [
    'linux.seccomp.syscalls[0].names[0]',
    (t) => ({
      'linux.seccomp': {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: [t], action: 'SCMP_ACT_ERRNO' }],
      },
    }),
    'no line break',
  ],
]

describe('parseSpec() on strings', () => {
  test.each(strings)('refuses a NUL in %s', (path, set) => {
    expect(thrownBy(() => parse(set('a\0b')))).toMatchObject({
      pointer: path,
      message: `${path}: contains a NUL character`,
    })
  })

  test.each(strings)('treats line breaks in %s as listed', (path, set, rule) => {
    for (const text of ['a\nlxc.hook.pre-start = /bin/touch /tmp/x', 'a\rb']) {
      const attempt = () => parse(set(text))
      if (rule === 'line breaks are fine') expect(attempt).not.toThrow()
      else expect(thrownBy(attempt)).toMatchObject({ message: `${path}: contains a line break` })
    }
  })

  test('refuses a line break in the key of a map', () => {
    const attempt = () => parse({ annotations: { 'a\nb': 'x' } })
    expect(thrownBy(attempt)).toMatchObject({ message: 'annotations["a\\nb"]: contains a line break' })
  })
})
