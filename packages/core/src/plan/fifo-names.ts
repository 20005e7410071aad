/** Names in the directory that init inherits; alone here because `start` needs no planner. */

/** The fifo that init opens for writing and `start` for reading. */
export const START_FIFO = 'start'

/** The fifo on which `start` tells init that the seccomp agent has the listener. */
export const ACKNOWLEDGE_FIFO = 'acknowledge'
