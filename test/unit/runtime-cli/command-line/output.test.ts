import type { State } from '@crio-lxc/core/oci/state'
import { expect, test } from 'vitest'
import { listJson, listTable, singleLine, stateText } from '../../../../packages/runtime-cli/src/command-line/output.ts'

const state: State = {
  ociVersion: '1.3.0',
  id: 'c1',
  status: 'running',
  pid: 4242,
  bundle: '/srv/web',
  rootfs: '/srv/web/rootfs',
  created: '2026-01-02T03:04:05.678Z',
  owner: 'root',
}

test('stateText() is indented by two blanks', () => {
  expect(stateText(state)).toBe(
    [
      '{',
      '  "ociVersion": "1.3.0",',
      '  "id": "c1",',
      '  "status": "running",',
      '  "pid": 4242,',
      '  "bundle": "/srv/web",',
      '  "rootfs": "/srv/web/rootfs",',
      '  "created": "2026-01-02T03:04:05.678Z",',
      '  "owner": "root"',
      '}',
      '',
    ].join('\n'),
  )
})

// Widths as runc 1.1.5 prints them.
test('listTable() has the columns of runc', () => {
  const long = { ...state, id: 'a-rather-long-name', bundle: '/tmp/bündel', status: 'created' as const }
  expect(listTable([])).toBe('ID          PID         STATUS      BUNDLE      CREATED     OWNER\n')
  expect(listTable([state, long])).toBe(
    [
      'ID                   PID         STATUS      BUNDLE        CREATED                    OWNER',
      'c1                   4242        running     /srv/web      2026-01-02T03:04:05.678Z   root',
      'a-rather-long-name   4242        created     /tmp/bündel   2026-01-02T03:04:05.678Z   root',
      '',
    ].join('\n'),
  )
})

test('listJson() is one array on one line', () => {
  expect(listJson([])).toBe('[]\n')
  expect(listJson([state, state]).split('\n')).toHaveLength(2)
  expect(JSON.parse(listJson([state]))).toEqual([state])
})

test.each([
  ['a\nb', 'a b'],
  ['a\r\n  b\n\nc\n', 'a b c'],
  ['  plain ', 'plain'],
])('singleLine(%j)', (message, line) => {
  expect(singleLine(message)).toBe(line)
})
