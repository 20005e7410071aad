import { defaultSpec } from '@crio-lxc/core/oci/default-spec'
import type { Linux } from '@crio-lxc/core/oci/linux'
import { type PlannedProcess, type ProcessFeatureGates, planProcess } from '@crio-lxc/init/process-plan'
import { expect, test } from 'vitest'

const given = {
  ...defaultSpec.process,
  apparmorProfile: 'confined',
  capabilities: { bounding: ['CAP_CHOWN', 'CAP_KILL', 'CAP_NONE'], permitted: ['CAP_KILL'] },
}
const linux: Linux = { seccomp: { defaultAction: 'SCMP_ACT_ALLOW' }, personality: { domain: 'LINUX32' } }
const filter = { program: new Uint8Array(8), flags: 0, notifies: false }
const open: ProcessFeatureGates = { seccomp: true, capabilities: true, apparmor: true }

function planned(featureGates: Partial<ProcessFeatureGates> = {}): PlannedProcess {
  const facts = { home: '/home/user', capabilities: 1n << 0n, filterOf: () => filter }
  return planProcess(given, { linux, featureGates: { ...open, ...featureGates }, ...facts })
}

test('planProcess() leaves out the capabilities that the host does not grant, and says which', () => {
  const { process, leftOut, capabilities } = planned()
  expect(process.capabilities).toEqual({ bounding: ['CAP_CHOWN'], permitted: [] })
  expect(leftOut).toEqual(['CAP_KILL (the runtime lacks it)', 'CAP_NONE (no such capability)'])
  expect(capabilities).toBe(true)
})

test('planProcess() gives a process its home, filter, profile and personality', () => {
  const { environment, candidates, seccomp, process, personality } = planned()
  expect(environment).toContain('HOME=/home/user')
  expect(candidates).toContain('/bin/sh')
  expect(seccomp).toBe(filter)
  expect(process.apparmorProfile).toBe('confined')
  expect(personality).toEqual({ domain: 'LINUX32' })
})

test('planProcess() gives nothing of what a gate keeps shut', () => {
  const { seccomp, process, capabilities, leftOut } = planned({ seccomp: false, capabilities: false, apparmor: false })
  expect(seccomp).toBeUndefined()
  expect(process.apparmorProfile).toBe('')
  expect(capabilities).toBe(false)
  expect(leftOut).toEqual([])
})
