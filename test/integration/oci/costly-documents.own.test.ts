import { symlinkSync } from 'node:fs'
import { describe, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { expectOneSentence } from '../../support/one-sentence.ts'
import { requires } from '../../support/requires.ts'
import type { Spec } from '../../support/spec.ts'

requires('root', 'own-runtime')
const t = useContainers()

describe('a document that would cost minutes is refused before anything exists', () => {
  const deep = (name: string): string => `/${name}${'/a'.repeat(1999)}`

  it.each<[string, RegExp, (spec: Spec) => void]>([
    [
      'more CPUs than a call of the engine takes arguments',
      /^process\.execCPUAffinity\.final: must name at most 65536 numbers/,
      (spec) => {
        spec.process.execCPUAffinity = { final: Array.from({ length: 9 }, () => '0-8191').join(',') }
      },
    ],
    [
      '50 mounts of 2000 directories',
      /mounts\[\d+\]\.destination: has 2001 directories in one another/,
      ({ mounts }) => {
        for (let index = 0; index < 50; index++)
          mounts.push({ destination: deep(`m${index}`), type: 'tmpfs', source: 'tmpfs' })
      },
    ],
    [
      '50 devices below 2000 directories',
      /linux\.devices\[\d+\]\.path: has 2001 directories in one another/,
      ({ linux }) => {
        linux.devices = Array.from({ length: 50 }, (_, index) => ({
          path: deep(`d${index}`),
          type: 'c' as const,
          major: 1,
          minor: 3,
        }))
      },
    ],
    [
      'process.cwd, and a mount',
      /mounts\[0\]\.destination: has \d+ directories/,
      (spec) => {
        spec.process.cwd = deep('w')
        spec.mounts.unshift({ destination: deep('m'), type: 'tmpfs', source: 'tmpfs' })
      },
    ],
    [
      '9000 device rules',
      /linux\.resources\.devices: must have at most 2000 items, got 9000/,
      ({ linux }) => {
        const devices = Array.from({ length: 9000 }, (_, minor) => ({
          allow: minor % 2 === 0,
          type: 'c' as const,
          major: minor % 500,
          minor,
          access: 'rwm',
        }))
        linux.resources = { ...linux.resources, devices }
      },
    ],
  ])('%s', async (_, text, spec) => {
    const result = await t.attemptCreate(await t.bundle({ spec }))
    expectOneSentence(result, text)
    t.expectNothingLeft()
  })

  it('links of the image do not get around it', async () => {
    const bundle = await t.bundle({
      spec: ({ mounts }) => {
        for (let index = 0; index < 50; index++)
          mounts.push({ destination: `/link/${index}`, type: 'tmpfs', source: 'tmpfs' })
      },
    })
    symlinkSync('a/'.repeat(2000), `${bundle.rootfs}/link`)
    expectOneSentence(await t.attemptCreate(bundle), /mounts\[\d+\]\.destination: has \d+ directories in one another/)
    t.expectNothingLeft()
  })
})
