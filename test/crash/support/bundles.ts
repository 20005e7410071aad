/** Bundles of containers that run until they are killed. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bundle, BundleOptions } from '../../support/bundle.ts'
import type { Containers } from '../../support/containers.ts'
import { mountOf } from '../../support/id-maps.ts'
import type { Hook, HookPoint } from '../../support/spec.ts'
import { mappedBundles } from '../../support/user-namespace.ts'
import { waitFor } from '../../support/wait-for.ts'
import { hookMark } from './aftermath.ts'

const forever: BundleOptions = { args: ['sleep', '1000'] }

export async function crashBundle(t: Containers): Promise<Bundle> {
  return withPidFile(await t.bundle(forever))
}

/** A hook that has a child meanwhile; both say whose they are. */
export function hookOf(t: Containers, script = 'sleep 1000 & sleep 0.05; kill -9 $!'): Hook {
  return { path: '/bin/sh', args: ['sh', '-c', script], env: ['PATH=/usr/bin:/bin', hookMark(t)] }
}

export function bundleWithHooks(...points: HookPoint[]): (t: Containers) => Promise<Bundle> {
  return async (t) =>
    withPidFile(
      await t.bundle({
        ...forever,
        spec: (spec) => {
          spec.hooks = Object.fromEntries(points.map((point) => [point, [hookOf(t)]]))
        },
      }),
    )
}

const device = `crash${process.pid % 100_000}`

/** The kernel removes it some time after the network namespace that it is in has lost its last process. */
export async function makeDevice(): Promise<void> {
  await waitFor(() => !removeDevice(), { what: `${device} to be gone` })
  ip('link', 'add', device, 'type', 'veth', 'peer', 'name', `${device}p`)
}

/** False when there is none. */
function removeDevice(): boolean {
  try {
    ip('link', 'del', `${device}p`)
    return true
  } catch (error) {
    if (/Cannot find device/.test(String(error))) return false
    throw error
  }
}

const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8', stdio: 'pipe' })

/** A user namespace, a mount with a mapping of its own, and a network device: each has a process of create's beside it. */
export async function mappedBundle(t: Containers): Promise<Bundle> {
  t.defer(() => void removeDevice())
  const source = t.hostDirectory()
  const bundle = await mappedBundles(t).mapped({
    ...forever,
    spec: (spec) => {
      spec.mounts.push(mountOf(source, '/mnt'))
      spec.linux.netDevices = { [device]: { name: 'data0' } }
    },
  })
  return withPidFile(bundle)
}

/** The file is there before, so that whatever writes it is seen to replace it. */
function withPidFile(bundle: Bundle): Bundle {
  writeFileSync(join(bundle.path, 'pid'), '')
  return bundle
}
