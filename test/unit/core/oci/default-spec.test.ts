import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultSpec } from '@crio-lxc/core/oci/default-spec'
import { expect, test } from 'vitest'

test('defaultSpec is what runc spec prints, with our ociVersion', () => {
  const bundle = mkdtempSync(join(tmpdir(), 'default-spec-'))
  try {
    execFileSync('runc', ['spec', '--bundle', bundle])
    const theirs = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8'))
    expect(JSON.parse(JSON.stringify(defaultSpec))).toEqual({ ...theirs, ociVersion: '1.3.0' })
  } finally {
    rmSync(bundle, { recursive: true })
  }
})
