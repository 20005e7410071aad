import type { ContainerFacts, ContainerInfo, InitFacts } from './container-info.ts'

/** What of a container is on the disk. */
export interface Stored {
  readonly info: ContainerInfo
  readonly facts: ContainerFacts
  /** Absent until create has succeeded. */
  readonly init: InitFacts | undefined
}
