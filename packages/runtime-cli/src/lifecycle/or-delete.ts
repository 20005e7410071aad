import { noteLeftBehind } from '@crio-lxc/core/host/log/clean-up'
import type { Settings } from '../settings.ts'
import { deleteContainer } from './delete.ts'

/** Deletes the container when `starting` fails. The error is that of the beginning; what the delete says goes with it. */
export async function orDelete<T>(settings: Settings, id: string, starting: () => T | Promise<T>): Promise<T> {
  try {
    return await starting()
  } catch (error) {
    try {
      await deleteContainer(settings, id, { force: true })
    } catch (failure) {
      noteLeftBehind(error, failure)
    }
    throw error
  }
}
