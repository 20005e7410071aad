/** Lines of resctrl's schemata, `L3:0=ff;1=f0` (Documentation/filesystems/resctrl.rst, "Schemata files - general concepts"). PURE. */
import type { SchemataLine } from './group-plan.ts'

/** The first line that would change something in a group with these schemata; undefined when all hold already. */
export function firstDifference(lines: readonly SchemataLine[], existing: string): SchemataLine | undefined {
  const present = new Map(existing.split('\n').flatMap((line) => (line.includes(':') ? [parse(line)] : [])))
  return lines.find(({ line }) => {
    const [resource, values] = parse(line)
    const held = present.get(resource)
    return values.size === 0 || [...values].some(([domain, value]) => held?.get(domain) !== value)
  })
}

/** A resource and its value in each domain; what is no pair is kept as a domain that no group has. */
function parse(line: string): [resource: string, values: Map<string, string>] {
  const colon = line.indexOf(':')
  const resource = line.slice(0, colon).trim()
  const pairs = line.slice(colon + 1).split(';')
  return [
    resource,
    new Map(
      pairs
        .filter((pair) => pair.trim() !== '')
        .map((pair) => {
          const [domain = '', value = ''] = pair.split('=').map((part) => part.trim())
          return [domain, normal(resource, value)]
        }),
    ),
  ]
}

/** A cache's value is a hexadecimal mask, which the kernel may print with zeros before it; a bandwidth is decimal. */
function normal(resource: string, value: string): string {
  const digits = resource.startsWith('L') ? value.toLowerCase().replace(/^0x/, '') : value
  return digits.replace(/^0+(?=.)/, '')
}
