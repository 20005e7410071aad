/** The files of one cgroup by controller, as numbers; what does not exist reads as nothing. */
import { readDirectory, readText } from '../../../sys/files.ts'
import type { CgroupLayout } from '../plan/cgroup-layout.ts'

export class CgroupFiles {
  constructor(
    readonly layout: CgroupLayout,
    readonly path: string,
  ) {}

  /** The cgroup's directory in the hierarchy of the controller. */
  directory(controller: string): string | undefined {
    const { mode, hierarchies } = this.layout
    const hierarchy = hierarchies.find(({ controllers }) => controllers.includes(controller))
    // On v2 there is cpu.stat without a controller too.
    const found = hierarchy ?? (mode === 'v2' ? hierarchies[0] : undefined)
    return found && found.mountPoint + this.path
  }

  text(controller: string, file: string): string | undefined {
    const directory = this.directory(controller)
    if (directory === undefined) return undefined
    try {
      return readText(`${directory}/${file}`).trim()
    } catch {
      return undefined
    }
  }

  names(controller: string): string[] {
    const directory = this.directory(controller)
    return directory === undefined ? [] : readDirectory(directory)
  }

  /** 0 when there is no such file or no number in it, as for `max`. */
  number(controller: string, file: string): number {
    return numberOf(this.text(controller, file))
  }

  /** Lines of a name and a number. */
  table(controller: string, file: string): Record<string, number> {
    const lines = this.text(controller, file)?.split('\n') ?? []
    return Object.fromEntries(lines.map((line) => line.split(' ')).map(([name = '', value]) => [name, numberOf(value)]))
  }

  /** The same, where a limit may be larger than a number holds. */
  exactTable(controller: string, file: string): Record<string, number | bigint> {
    const lines = this.text(controller, file)?.split('\n') ?? []
    return Object.fromEntries(
      lines.map((line) => line.split(' ')).map(([name = '', value = '0']) => [name, exact(BigInt(value))]),
    )
  }

  list(controller: string, file: string): number[] {
    return (this.text(controller, file) ?? '').split(/\s+/).filter(Boolean).map(Number)
  }
}

function numberOf(text: string | undefined): number {
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : 0
}

function exact(value: bigint): number | bigint {
  return value > Number.MAX_SAFE_INTEGER ? value : Number(value)
}

/** `0-2,7` as its numbers. */
export function parseList(text = ''): number[] {
  return text
    .split(',')
    .filter(Boolean)
    .flatMap((range) => {
      const [first = 0, last = first] = range.split('-').map(Number)
      return Array.from({ length: last - first + 1 }, (_, index) => first + index)
    })
}

/** The object without what is 0 or empty: where runc leaves a member out. */
export function withoutEmpty<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => (Array.isArray(value) ? value.length > 0 : value)),
  ) as Partial<T>
}
