import { expect, test } from 'vitest'
import type { DebugPlan } from '../../../../packages/runtime-cli/src/plan-text/print-all.ts'
import { sectionText } from '../../../../packages/runtime-cli/src/plan-text/sections.ts'
import { numberedSteps, planSections } from '../../../../packages/runtime-cli/src/plan-text/step-sections.ts'

function text(plan: DebugPlan): string {
  const { brief, detailed } = planSections(plan, numberedSteps)
  return sectionText([...brief, ...detailed])
}

const least: DebugPlan = {
  cgroup: { directories: ['/sys/fs/cgroup/ID'], writes: [] },
  hooks: [],
  idMaps: [],
  launch: [{ step: 0, what: 'launch', call: 'close(1)' }],
  lxcConfig: 'lxc.autodev = 0\n',
  wait: [{ step: 0, what: 'wait', call: 'close(2)' }],
  container: [{ step: 0, what: 'work', call: 'close(3)', next: 'EINTR ignored' }],
}

test('planSections() has a part for what every container has, and none for the rest', () => {
  expect(text(least)).toBe(
    [
      '# cgroup directories',
      '/sys/fs/cgroup/ID',
      '',
      '# cgroup writes',
      'none',
      '',
      '# devices',
      'allow everything',
      '',
      '# launch plan, run in the place of the monitor',
      '   0  launch: close(1)',
      '',
      '# liblxc config',
      'lxc.autodev = 0',
      '',
      '# wait plan, run by init until create has written the next',
      '   0  wait: close(2)',
      '',
      '# container plan, run by init',
      '   0  work: close(3)  [EINTR ignored]',
      '',
    ].join('\n'),
  )
})

test('planSections() has the resctrl group', () => {
  const printed = text({
    ...least,
    resctrl: {
      group: '/sys/fs/resctrl/gold',
      kind: 'shared',
      schemata: [{ field: 'schemata[0]', line: 'L3:0=f' }],
      monitor: '/sys/fs/resctrl/gold/mon_groups/ID',
      features: [{ field: 'enableMonitoring', names: [] }],
    },
  })
  expect(printed).toContain(
    [
      '# resctrl group',
      '/sys/fs/resctrl/gold, made unless it exists',
      '/sys/fs/resctrl/gold/schemata <- L3:0=f',
      '/sys/fs/resctrl/gold/mon_groups/ID counts what the container uses',
      '',
      '# launch plan',
    ].join('\n'),
  )
})

test('planSections() has the hooks, with who runs them where', () => {
  const printed = text({
    ...least,
    hooks: [
      {
        hook: 'createContainer[0]',
        by: 'create',
        namespaces: 'container',
        path: '/bin/a',
        args: ['a', 'b c'],
        timeout: 3,
      },
      { hook: 'poststop[0]', by: 'delete', namespaces: 'runtime', path: '/bin/b' },
    ],
  })
  expect(printed).toContain(
    [
      '# hooks',
      'createContainer[0], by create in the namespaces of the container: /bin/a ["a","b c"], at most 3 s',
      'poststop[0], by delete in the namespaces of the runtime: /bin/b',
      '',
    ].join('\n'),
  )
})
