/** Words of steps by which others know them: why nothing can be executed, and from where on `start` is waited for. */

/** Fails with the reason why none of the candidates can be executed. */
export const FIND_EXECUTABLE = 'find the executable'

/** Executes the container's program: the kernel may refuse what was found. */
export const EXECUTE = 'execute process.args'
