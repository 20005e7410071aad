import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { environment } from '@crio-lxc/core/sys/program'
import { defineCommand, load } from '../command-line/command.ts'
import { writeOut } from '../command-line/output.ts'
import { absolutePath } from './bundle-options.ts'

export default defineCommand({
  command: 'debug plan <bundle>',
  describe: 'print what create would do with a bundle: its system calls, cgroup writes, filters and hooks',
  options: { json: { type: 'boolean', describe: 'print JSON' } },
  examples: [
    ['debug plan /srv/web', 'readable lines'],
    ['debug plan --json /srv/web', 'the same for programs'],
  ],
  async handler({ settings, values, positionals: [what = '', bundle = ''] }) {
    if (what !== 'plan') throw new RuntimeError('usage', `unknown debug command ${JSON.stringify(what)}: want plan`)
    const { debugPlan } = await load(() => import('../lifecycle/debug-plan.ts'))
    const plan = await debugPlan(settings, {
      bundle: absolutePath(bundle, 'BUNDLE'),
      notifySocket: environment()['NOTIFY_SOCKET'],
    })
    if (values.json) writeOut(`${JSON.stringify(plan, null, 2)}\n`)
    else writeOut((await load(() => import('../plan-text/step-sections.ts'))).debugPlanText(plan))
    return 0
  },
})
