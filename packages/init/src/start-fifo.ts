/** Name of the fifo that init opens for writing and `start` for reading; alone here because start needs no planner. */
export const START_FIFO = 'start'
