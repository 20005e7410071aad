import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { expectOneSentence } from '../../support/one-sentence.ts'
import { requires } from '../../support/requires.ts'
import type { Spec } from '../../support/spec.ts'

requires('root', 'own-runtime')
const t = useContainers()

/** Every string of a spec with its path; of the elements of a list the first one alone. */
function strings(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value === 'string') return [path]
  if (Array.isArray(value)) return value.slice(0, 1).flatMap((item) => strings(item, [...path, 0]))
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([key, item]) => strings(item, [...path, key]))
  }
  return []
}

function replaced(spec: Spec, path: readonly (string | number)[], edit: (old: string) => string): Spec {
  const copy = structuredClone(spec)
  const holder = path.slice(0, -1).reduce<never>((value, key) => value[key as never], copy as never) as Record<
    string,
    string
  >
  const key = path.at(-1) as string
  holder[key] = edit(holder[key] ?? '')
  return copy
}

/** A spec with a string in most places. */
function wordySpec(spec: Spec): void {
  const source = t.hostDirectory('source-')
  spec.annotations = { 'org.example.key': 'value' }
  spec.mounts.unshift({ destination: '/tmp', type: 'bind', source, options: ['rbind', 'ro'] })
  spec.linux.cgroupsPath = `/${t.id()}`
  spec.linux.sysctl = { 'net.ipv4.ip_unprivileged_port_start': '1' }
  spec.linux.devices = [{ path: '/dev/made', type: 'c', major: 1, minor: 3, fileMode: 0o666, uid: 0, gid: 0 }]
  spec.linux.rootfsPropagation = 'private'
  spec.linux.seccomp = {
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: ['SCMP_ARCH_X86_64'],
    syscalls: [{ names: ['acct'], action: 'SCMP_ACT_ERRNO' }],
  }
}

describe('control characters in any string of config.json', () => {
  it('a newline and a directive of liblxc never become a directive', async () => {
    const canary = join(t.hostDirectory(), 'canary')
    const bundle = await t.bundle({ spec: wordySpec })
    const { spec } = bundle
    expect(strings(spec).length).toBeGreaterThan(25)
    for (const path of strings(spec)) {
      bundle.writeConfig(replaced(spec, path, (old) => `${old}\nlxc.hook.pre-start = /usr/bin/touch ${canary}\n`))
      const result = await t.attemptCreate(bundle)
      expect(existsSync(canary), path.join('.')).toBe(false)
      expect(result.timedOut, path.join('.')).toBe(false)
      if (result.exitCode !== 0) expectOneSentence(result, /./)
      await t.cleanUp()
    }
  })

  it('NUL is refused everywhere, and the field is named', async () => {
    const bundle = await t.bundle({ spec: wordySpec })
    const unnamed: string[] = []
    for (const path of strings(bundle.spec)) {
      bundle.writeConfig(replaced(bundle.spec, path, (old) => `${old}\0x`))
      const result = await t.attemptCreate(bundle)
      const field = String(path.findLast((key) => typeof key === 'string'))
      if (result.exitCode !== 1 || !result.stderr.includes(field))
        unnamed.push(`${path.join('.')}: ${result.exitCode} ${result.stderr}`)
    }
    expect(unnamed).toEqual([])
    t.expectNothingLeft()
  })
})
