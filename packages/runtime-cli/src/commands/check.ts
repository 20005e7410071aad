import { wantsColour } from '../command-line/colour.ts'
import { defineCommand, load } from '../command-line/command.ts'
import { writeOut, writeScreen } from '../command-line/output.ts'

export default defineCommand({
  command: 'check',
  describe: 'look whether this host and this installation can make containers, and say what to do',
  options: { json: { type: 'boolean', describe: 'print JSON' } },
  examples: [
    ['check', 'a line for each thing; exit code 1 when one is a problem'],
    ['check --json', 'the same for programs'],
  ],
  looks: true,
  async handler({ settings, values, given }) {
    const { check, findingsText, worst } = await load(() => import('../lifecycle/check.ts'))
    const findings = check(settings, given.file?.problems ?? [])
    if (values.json) writeOut(`${JSON.stringify({ verdict: worst(findings), findings }, null, 2)}\n`)
    else writeScreen(findingsText(findings, wantsColour()))
    return worst(findings) === 'problem' ? 1 : 0
  },
})
