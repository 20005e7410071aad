/** A start of the engine for its profile: as many modules are loaded as a verb may need, and one does its work. */
const MODULES = 24

let done = ''
for (let index = 1; index <= MODULES; index++) {
  const { work } = await import(`./verb-${index}.js`)
  done ||= await work(`verb-${index}`)
}
if (!done.includes('root.path: is missing')) throw new Error(`the training did not do its work: ${done}`)
