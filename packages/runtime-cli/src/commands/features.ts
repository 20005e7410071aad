import { defineCommand, load } from '../command-line/command.ts'
import { featuresText, writeOut } from '../command-line/output.ts'

export default defineCommand({
  command: 'features',
  describe: 'print what this runtime supports as JSON (features.md of the runtime-spec)',
  options: {},
  examples: [['features', 'CRI-O and containerd read it when they start']],
  looks: true,
  async handler({ settings }) {
    const { features } = await load(() => import('../lifecycle/features.ts'))
    writeOut(featuresText(features(settings)))
    return 0
  },
})
