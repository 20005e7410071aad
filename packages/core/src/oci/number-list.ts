/** Lists like `0-3,7` of CPUs and NUMA nodes, in the form of cpuset(7), "List format". */
import { SpecError } from '../errors/runtime-error.ts'

/** One more than the greatest number: no kernel is built for more CPUs (CONFIG_NR_CPUS) or nodes. */
const LIMIT = 8192
/** Numbers that a list may name, the same one again included: a document has room for thousands of millions. */
const MOST_NAMED = 65_536

/** The numbers, in the order given; throws a SpecError that names `field`. */
export function parseNumberList(text: string, field: string): number[] {
  let named = 0
  return text.split(',').flatMap((part) => {
    const [, first, last = first] = /^\s*(\d{1,5})(?:-(\d{1,5}))?\s*$/.exec(part) ?? []
    const [from, to] = [Number(first), Number(last)]
    if (first === undefined || to < from || to >= LIMIT)
      throw new SpecError(field, `must be a list like "0-3,7" below ${LIMIT}, got ${JSON.stringify(text)}`)
    named += to - from + 1
    if (named > MOST_NAMED) throw new SpecError(field, `must name at most ${MOST_NAMED} numbers: name each once`)
    return Array.from({ length: to - from + 1 }, (_, index) => from + index)
  })
}
