import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { environment } from '@crio-lxc/core/sys/program'
import { defineCommand, load } from '../command-line/command.ts'
import { writeOut } from '../command-line/output.ts'
import { absolutePath } from './bundle-options.ts'

/** Not 1, which is that of a failure. */
const DIFFERENT = 2

export default defineCommand({
  command: 'debug plan <bundle>',
  describe: 'print what create would do with a bundle: its system calls, cgroup writes, filters and hooks',
  options: {
    json: { type: 'boolean', describe: 'print JSON: everything, with numbers as numbers' },
    steps: { type: 'boolean', describe: 'after the summary, print every step with its system call' },
    diff: {
      type: 'string',
      value: 'OTHER_BUNDLE',
      describe: 'print what differs from the plan of another bundle; exit code 2 when something does',
    },
  },
  examples: [
    ['debug plan /srv/web', 'a summary'],
    ['debug plan --steps /srv/web', 'every step, with flags by name'],
    ['debug plan --diff /srv/old /srv/web', 'what a change of the bundle changes'],
    ['debug plan --json /srv/web', 'the same for programs'],
  ],
  async handler({ settings, values, positionals: [what = '', bundle = ''] }) {
    if (what !== 'plan') throw new RuntimeError('usage', `unknown debug command ${JSON.stringify(what)}: want plan`)
    const planned = { bundle: absolutePath(bundle, 'BUNDLE'), notifySocket: environment()['NOTIFY_SOCKET'] }
    if (values.json && values.diff !== undefined)
      throw new RuntimeError('usage', '--diff prints text: leave --json out, and compare what it prints of each')
    if (values.diff !== undefined) {
      const { debugPlanDiff } = await load(() => import('../lifecycle/debug-plan-diff.ts'))
      const other = absolutePath(values.diff, '--diff')
      const text = await debugPlanDiff(settings, { ...planned, other, steps: values.steps ?? false })
      writeOut(text)
      return text === '' ? 0 : DIFFERENT
    }
    if (values.json) {
      const { debugPlan } = await load(() => import('../lifecycle/debug-plan.ts'))
      writeOut(`${JSON.stringify(await debugPlan(settings, planned), null, 2)}\n`)
    } else {
      const { debugPlanText } = await load(() => import('../lifecycle/debug-plan-text.ts'))
      writeOut(await debugPlanText(settings, { ...planned, steps: values.steps ?? false }))
    }
    return 0
  },
})
