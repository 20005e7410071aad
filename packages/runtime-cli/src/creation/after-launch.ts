/** What create does once the monitor runs: loaded only then, while liblxc makes the namespaces. */
export { awaitContainer } from './await-container.ts'
export { fill } from './fill.ts'
export { publish } from './publish.ts'
