/**
 * Values as people write them in the annotations `org.systemd.property.*`: the text format of GVariant as far as
 * runc takes it. `true`, `'text'`, `-7` (i), `1.5` (d), `uint64 7`, `['a', 'b']`, `@as []`, `{'key': 1}`, `<'variant'>`,
 * `('a', 1)`. PURE.
 */

import { splitSignature, type Value, type Variant } from './signature.ts'

/** Throws Error, its message a clause, when `text` is not one value. */
export function parseVariantText(text: string): Variant {
  const parser = new Parser(text)
  const variant = parser.value(undefined)
  parser.end()
  return variant
}

const keywords: Readonly<Record<string, string>> = {
  boolean: 'b',
  byte: 'y',
  int16: 'n',
  uint16: 'q',
  int32: 'i',
  handle: 'i',
  uint32: 'u',
  int64: 'x',
  uint64: 't',
  double: 'd',
  string: 's',
  objectpath: 'o',
  signature: 'g',
}

const ranges: Readonly<Record<string, readonly [bigint, bigint]>> = {
  y: [0n, 0xffn],
  n: [-(1n << 15n), (1n << 15n) - 1n],
  q: [0n, 0xffffn],
  i: [-(1n << 31n), (1n << 31n) - 1n],
  u: [0n, (1n << 32n) - 1n],
  x: [-(1n << 63n), (1n << 63n) - 1n],
  t: [0n, (1n << 64n) - 1n],
}

const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

/** A sign and 20 digits hold every 64-bit integer; making a number of millions of digits takes minutes. */
const LONGEST_INTEGER = 21
/** As many as D-Bus takes: 32 arrays and 32 tuples. */
const MAX_DEPTH = 64

class Parser {
  #at = 0
  #depth = 0
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** `type`: what it has to be; undefined: what it looks like. */
  value(type: string | undefined): Variant {
    this.#depth += 1
    if (this.#depth > MAX_DEPTH) throw new Error(`it is nested more than ${MAX_DEPTH} levels deep`)
    const value = this.#value(type)
    this.#depth -= 1
    return value
  }

  #value(type: string | undefined): Variant {
    const [word] = this.#match(/(?:@[a-z(){}]+|[a-z]+[0-9]*)(?=[\s<[({'"]|$)|true\b|false\b/y) ?? []
    if (word === 'true' || word === 'false') return this.#as('b', type, word === 'true')
    if (word !== undefined) {
      const named = word.startsWith('@') ? word.slice(1) : keywords[word]
      if (named === undefined || splitSignature(named).length !== 1) throw new Error(`${word} is no type`)
      return this.#as(named, type, this.value(named).value)
    }
    const [open] = this.#match(/[<[({]/y) ?? []
    if (open === '<')
      return this.#as(
        'v',
        type,
        this.#closed('>', () => this.value(undefined)),
      )
    if (open === '[') return this.#array(type)
    if (open === '(') return this.#tuple(type)
    if (open === '{') return this.#dictionary(type)
    const [quoted] = this.#match(/'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*"/sy) ?? []
    if (quoted !== undefined) {
      const own = type === 'o' || type === 'g' ? type : 's'
      return this.#as(own, type, unescaped(quoted.slice(1, -1)))
    }
    const [number] = this.#match(/[-+]?(?:0x[0-9a-fA-F]+|[0-9][0-9a-zA-Z.+-]*|inf(?:inity)?|nan)/y) ?? []
    if (number !== undefined) return this.#number(number, type)
    throw new Error(this.#at < this.#text.length ? `a value expected, found ${this.#rest()}` : 'it ends too early')
  }

  end(): void {
    this.#match(/$/y)
    if (this.#at < this.#text.length) throw new Error(`${this.#rest()} follows the value`)
  }

  #number(text: string, type: string | undefined): Variant {
    const wanted = type ?? (/^[-+]?(?:0x[0-9a-f]+|\d+)$/i.test(text) ? 'i' : 'd')
    if (wanted === 'd') {
      const value = text.includes('inf') ? Number(text.replace(/inf.*/, 'Infinity')) : Number(text)
      if (Number.isNaN(value) && text !== 'nan') throw new Error(`${text} is no number`)
      return { signature: 'd', value }
    }
    const [low, high] = ranges[wanted] ?? []
    if (low === undefined || high === undefined || !/^[-+]?(?:0x[0-9a-f]+|\d+)$/i.test(text))
      throw new Error(`${text} is not of the type ${wanted}`)
    const magnitude = text.length > LONGEST_INTEGER ? Infinity : BigInt(text.replace(/^[-+]/, ''))
    const value = text.startsWith('-') ? -magnitude : magnitude
    if (typeof value === 'number' || value < low || value > high)
      throw new Error(`${text} is out of the range of the type ${wanted}`)
    return { signature: wanted, value: wanted === 'x' || wanted === 't' ? value : Number(value) }
  }

  /** The first item decides the type, unless it is given. */
  #array(type: string | undefined): Variant {
    if (type !== undefined && (!type.startsWith('a') || type.startsWith('a{')))
      throw new Error(`an array is not of the type ${type}`)
    let item = type?.slice(1)
    const values = this.#list(']', () => {
      const { signature, value } = this.value(item)
      item ??= signature
      return value
    })
    if (item === undefined) throw new Error('an empty array needs a type, such as @as []')
    return { signature: `a${item}`, value: item === 'y' ? Uint8Array.from(values as number[]) : values }
  }

  #tuple(type: string | undefined): Variant {
    if (type !== undefined && !type.startsWith('(')) throw new Error(`a tuple is not of the type ${type}`)
    const wanted = type === undefined ? undefined : splitSignature(type.slice(1, -1))
    const members = this.#list(')', (index) => this.value(wanted?.[index]))
    if (wanted && members.length !== wanted.length) throw new Error(`the tuple has not the members of ${type}`)
    return {
      signature: `(${members.map(({ signature }) => signature).join('')})`,
      value: members.map(({ value }) => value),
    }
  }

  #dictionary(type: string | undefined): Variant {
    if (type !== undefined && !type.startsWith('a{')) throw new Error(`a dictionary is not of the type ${type}`)
    let [key, item] = type === undefined ? [] : splitSignature(type.slice(2, -1))
    const entries = this.#list('}', () => {
      const name = this.value(key)
      if (!this.#match(/:/y)) throw new Error('a key needs a colon and a value')
      const content = this.value(item)
      key ??= name.signature
      item ??= content.signature
      return [name.value, content.value]
    })
    if (key === undefined || item === undefined) throw new Error('an empty dictionary needs a type, such as @a{sv} {}')
    return { signature: `a{${key}${item}}`, value: entries }
  }

  #list<Item>(close: ']' | ')' | '}', read: (index: number) => Item): Item[] {
    const items: Item[] = []
    const isClosed = (): boolean => this.#match(close === ']' ? /\]/y : close === ')' ? /\)/y : /\}/y) !== null
    while (!isClosed()) {
      items.push(read(items.length))
      if (isClosed()) break
      if (!this.#match(/,/y)) throw new Error(`a comma or ${close} expected, found ${this.#rest()}`)
    }
    return items
  }

  #closed<Result>(close: '>', read: () => Result): Result {
    const result = read()
    if (!this.#match(/>/y)) throw new Error(`${close} expected, found ${this.#rest()}`)
    return result
  }

  #as(signature: string, wanted: string | undefined, value: Value): Variant {
    if (wanted !== undefined && wanted !== signature)
      throw new Error(`a value of the type ${signature} is not of the type ${wanted}`)
    return { signature, value }
  }

  /** What follows, after blanks; moves behind it when it matches. */
  #match(pattern: RegExp): RegExpExecArray | null {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (found) this.#at = pattern.lastIndex
    return found
  }

  #rest(): string {
    return this.#at < this.#text.length ? JSON.stringify(this.#text.slice(this.#at, this.#at + 20)) : 'the end'
  }
}

function characterOf(hex: string): string {
  const code = Number.parseInt(hex, 16)
  if (code > 0x10ffff) throw new Error(`\\U${hex} is no character`)
  return String.fromCodePoint(code)
}

function unescaped(text: string): string {
  return text.replace(
    /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/gs,
    (_, short: string | undefined, long: string | undefined, letter: string | undefined) =>
      letter === undefined ? characterOf(short ?? long ?? '0') : (escapes[letter] ?? letter),
  )
}
