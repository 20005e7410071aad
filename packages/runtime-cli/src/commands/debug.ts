import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { environment } from '@crio-lxc/core/sys/program'
import { defineCommand, load } from '../command-line/command.ts'
import type { Options, Values } from '../command-line/option.ts'
import { writeOut } from '../command-line/output.ts'
import type { Settings } from '../settings.ts'
import { absolutePath } from './bundle-options.ts'
import { processOptions, surroundingOptions, toProcessOptions, toSurroundings } from './process-options.ts'

/** Not 1, which is that of a failure. */
const DIFFERENT = 2

const planOptions = {
  json: { type: 'boolean', describe: 'print JSON: everything, with numbers as numbers' },
  steps: { type: 'boolean', describe: 'after the summary, print every step with its system call' },
  diff: {
    type: 'string',
    value: 'OTHER_BUNDLE',
    describe: 'print what differs from the plan of another bundle; exit code 2 when something does',
  },
  exec: { type: 'boolean', describe: "print what exec would do in the bundle's container; the options below are its" },
  ...processOptions,
  ...surroundingOptions,
} as const satisfies Options

const execOptions = [
  ...(Object.keys(processOptions) as (keyof typeof processOptions)[]),
  ...(Object.keys(surroundingOptions) as (keyof typeof surroundingOptions)[]),
]

type PlanValues = Values<typeof planOptions>

/** What all kinds of plans are asked with. */
interface Planned {
  readonly bundle: string
  readonly notifySocket: string | undefined
}

export default defineCommand({
  command: 'debug plan <bundle> [command..]',
  describe: 'print what create would do with a bundle: its system calls, cgroup writes, filters and hooks',
  options: planOptions,
  examples: [
    ['debug plan /srv/web', 'a summary'],
    ['debug plan --steps /srv/web', 'every step, with flags by name'],
    ['debug plan --diff /srv/old /srv/web', 'what a change of the bundle changes'],
    ['debug plan --exec --user 5 /srv/web -- ps -ef', 'what exec would do'],
    ['debug plan --json /srv/web', 'the same for programs'],
  ],
  looks: true,
  async handler({ settings, values, positionals: [what = '', bundle = '', ...args] }) {
    if (what !== 'plan') throw new RuntimeError('usage', `unknown debug command ${JSON.stringify(what)}: want plan`)
    checkTogether(values, args)
    const planned = { bundle: absolutePath(bundle, 'BUNDLE'), notifySocket: environment()['NOTIFY_SOCKET'] }
    if (values.diff !== undefined) return await printDiff(settings, planned, values)
    writeOut(
      values.exec ? await execText(settings, planned, { values, args }) : await planText(settings, planned, values),
    )
    return 0
  },
})

function checkTogether(values: PlanValues, args: readonly string[]): void {
  const { json, diff, exec, process } = values
  const ofExec = execOptions.find((name) => values[name] !== undefined)
  if (json && diff !== undefined)
    throw new RuntimeError('usage', '--diff prints text: leave --json out, and compare what it prints of each')
  if (exec && diff !== undefined) throw new RuntimeError('usage', '--diff compares what create does: leave --exec out')
  if (!exec && ofExec !== undefined)
    throw new RuntimeError('usage', `--${ofExec} describes a process of exec: give --exec`)
  if (!exec && args.length > 0)
    throw new RuntimeError('usage', 'a command after the bundle is one of exec: give --exec')
  if (args.length > 0 && process)
    throw new RuntimeError('usage', '"debug plan --exec" takes either a command or --process FILE, not both')
}

async function planText(settings: Settings, planned: Planned, { json, steps = false }: PlanValues): Promise<string> {
  if (json) {
    const { debugPlan } = await load(() => import('../lifecycle/debug-plan.ts'))
    return jsonText(await debugPlan(settings, planned))
  }
  const { debugPlanText } = await load(() => import('../lifecycle/debug-plan-text.ts'))
  return await debugPlanText(settings, { ...planned, steps })
}

async function printDiff(
  settings: Settings,
  planned: Planned,
  { diff = '', steps = false }: PlanValues,
): Promise<number> {
  const { debugPlanDiff } = await load(() => import('../lifecycle/debug-plan-diff.ts'))
  const text = await debugPlanDiff(settings, { ...planned, other: absolutePath(diff, '--diff'), steps })
  writeOut(text)
  return text === '' ? 0 : DIFFERENT
}

interface ExecAsked {
  readonly values: PlanValues
  readonly args: readonly string[]
}

async function execText(settings: Settings, planned: Planned, { values, args }: ExecAsked): Promise<string> {
  const { debugPlanExec, debugPlanExecText } = await load(() => import('../lifecycle/debug-plan-exec.ts'))
  const asked = { ...planned, exec: { args, ...(await toProcessOptions(values, settings)), ...toSurroundings(values) } }
  if (values.json) return jsonText(await debugPlanExec(settings, asked))
  return await debugPlanExecText(settings, { ...asked, steps: values.steps ?? false })
}

function jsonText(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
