/** The version of the runtime-spec that this runtime implements: `state`, `spec` and `--version` print it. */
export const OCI_VERSION = '1.3.0'

/** Documents of any 1.x are understood. */
export const OCI_MAJOR = '1'

/** The least of them. */
export const OCI_VERSION_MIN = '1.0.0'
