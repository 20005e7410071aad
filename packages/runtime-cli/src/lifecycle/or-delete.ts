import type { ContainerFacts } from '@crio-lxc/core/host/container/container-facts'
import { noteLeftBehind } from '@crio-lxc/core/host/log/clean-up'
import type { Settings } from '../settings.ts'
import { deleteContainer } from './delete.ts'

/**
 * Deletes the container that `madeBy` has made when `starting` fails. The error is that of the beginning; what the delete says goes
 * with it.
 */
export async function orDelete<T>(
  settings: Settings,
  { containerId: id, creator: madeBy }: Pick<ContainerFacts, 'containerId' | 'creator'>,
  starting: () => T | Promise<T>,
): Promise<T> {
  try {
    return await starting()
  } catch (error) {
    try {
      await deleteContainer(settings, id, { force: true, madeBy })
    } catch (failure) {
      noteLeftBehind(error, failure)
    }
    throw error
  }
}
