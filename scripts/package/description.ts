/** What is packed, and for whom. */
export interface Package {
  readonly version: string
  /** dpkg's name of the processor. */
  readonly architecture: string
  /** In seconds since 1970. */
  readonly time: number
  /** Who answers for it, NAME <ADDRESS>. */
  readonly maintainer: string
  /** A directory with `bin` and `libexec`. */
  readonly programs: string
}
