/** events --format prometheus: the statistics of one container, or of all. */
import { ErrNotExist, ErrNotRunning } from '@crio-lxc/core/errors/container-errors'
import { messageOf } from '@crio-lxc/core/errors/runtime-error'
import { log } from '@crio-lxc/core/host/log/logger'
import { type Measured, prometheusText } from '../listing/prometheus.ts'
import type { Settings } from '../settings.ts'
import { stats } from './events.ts'
import { list } from './list.ts'
import { state } from './state.ts'

/** Throws as `events` does, for one that is named. */
export async function metrics(settings: Settings, id: string | undefined): Promise<string> {
  if (id !== undefined) {
    const { data } = await stats(settings, id)
    return prometheusText([{ state: state(settings, id), stats: data }])
  }
  const measured: Measured[] = []
  for (const each of list(settings)) measured.push(await measure(settings, each))
  return prometheusText(measured)
}

async function measure(settings: Settings, state: Measured['state']): Promise<Measured> {
  if (state.status === 'stopped' || state.status === 'creating') return { state, stats: undefined }
  try {
    return { state, stats: (await stats(settings, state.id)).data }
  } catch (error) {
    // It has ended meanwhile, has no cgroup, or is damaged: the others are measured all the same.
    if (!(error instanceof ErrNotExist || error instanceof ErrNotRunning))
      log.debug(`no statistics of ${state.id}: ${messageOf(error)}`, { c: 'events' })
    return { state, stats: undefined }
  }
}
