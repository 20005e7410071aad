import { defineCommand, load } from '../command-line/command.ts'
import { bundleOptions, toCreateOptions } from './bundle-options.ts'

export default defineCommand({
  command: 'create <container-id>',
  describe: 'create a container from a bundle; its process waits for start',
  needsDefaults: true,
  options: bundleOptions,
  examples: [
    ['create web', 'from the bundle in the current directory'],
    ['create --bundle /srv/web --pid-file /run/web.pid web', "from another bundle; init's pid goes to a file"],
  ],
  async handler({ settings, values, positionals: [id = ''] }) {
    const { create } = await load(() => import('../lifecycle/create.ts'))
    const options = toCreateOptions(id, values)
    if (settings.createHook === undefined) await create(settings, options)
    else {
      const { withCreateHook } = await import('../lifecycle/create-hook.ts')
      await withCreateHook(settings, { ...options, command: 'create' }, () => create(settings, options))
    }
    return 0
  },
})
