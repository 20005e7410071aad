/**
 * Where a JSON text is wrong (RFC 8259, and no name twice in one object). Only read when something is: engines differ
 * in what they say about a syntax error, and one of them does not say where it is.
 */
export interface JsonProblem {
  /** In UTF-16 code units from the start. */
  readonly offset: number
  /** A clause: what was expected and what is there. */
  readonly problem: string
}

type Expected = 'value' | 'value or "]"' | 'name' | 'name or "}"' | '":"' | 'more' | 'end'

const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const word = /true|false|null/y
const escaped = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y
const blank = /[ \t\n\r]*/y

/** The first problem of the text, reading from its start; undefined when there is none. */
export function findJsonProblem(text: string, maxDepth: number): JsonProblem | undefined {
  /** One for each open object (the names so far) or array. */
  const open: (Set<string> | 'array')[] = []
  let expected: Expected = 'value'
  let at = after(blank, text, 0)
  for (; at < text.length; at = after(blank, text, at)) {
    const inside = open.at(-1)
    const char = text.charAt(at)
    if (expected === 'end') return wrong(text, at, 'the end of the file')
    if (expected === '":"') {
      if (char !== ':') return wrong(text, at, '":"')
      expected = 'value'
      at += 1
    } else if (expected === 'more') {
      const close = inside === 'array' ? ']' : '}'
      if (char !== ',' && char !== close) return wrong(text, at, `"," or "${close}"`)
      if (char === close) open.pop()
      if (char === ',') expected = inside === 'array' ? 'value' : 'name'
      else if (open.length === 0) expected = 'end'
      at += 1
    } else if ((char === '}' && expected === 'name or "}"') || (char === ']' && expected === 'value or "]"')) {
      open.pop()
      expected = open.length === 0 ? 'end' : 'more'
      at += 1
    } else if (char === '"') {
      const end = endOfString(text, at)
      if (typeof end !== 'number') return end
      if (inside instanceof Set && (expected === 'name' || expected === 'name or "}"')) {
        const name = JSON.parse(text.slice(at, end)) as string
        if (inside.has(name)) return { offset: at, problem: `the field ${quote(name)} appears twice` }
        inside.add(name)
        expected = '":"'
      } else {
        expected = open.length === 0 ? 'end' : 'more'
      }
      at = end
    } else if (expected === 'name' || expected === 'name or "}"') {
      return wrong(text, at, 'a field name in double quotes')
    } else if (char === '{' || char === '[') {
      if (open.length === maxDepth) return { offset: at, problem: `nested more than ${maxDepth} levels deep` }
      open.push(char === '{' ? new Set() : 'array')
      expected = char === '{' ? 'name or "}"' : 'value or "]"'
      at += 1
    } else {
      const end = Math.max(after(number, text, at), after(word, text, at))
      if (end === at) return wrong(text, at, 'a value')
      expected = open.length === 0 ? 'end' : 'more'
      at = end
    }
  }
  if (expected === 'end') return undefined
  return { offset: at, problem: open.length === 0 ? 'it is empty' : 'it ends too early' }
}

/** The offset behind what the sticky pattern matches at `at`; `at` when it does not match. */
function after(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : at
}

/** The offset behind the closing quote of the string at `at`, or what is wrong in it. */
function endOfString(text: string, at: number): number | JsonProblem {
  let next = at + 1
  while (next < text.length) {
    const char = text.charAt(next)
    if (char === '"') return next + 1
    if (char < ' ') return { offset: next, problem: `a string contains the control character ${quote(char)}` }
    const end = char === '\\' ? after(escaped, text, next) : next + 1
    if (end === next) return { offset: next, problem: 'a string contains an unknown escape' }
    next = end
  }
  return { offset: at, problem: 'a string is not closed' }
}

function wrong(text: string, at: number, expected: string): JsonProblem {
  const found = String.fromCodePoint(text.codePointAt(at) ?? 0)
  return { offset: at, problem: `expected ${expected}, got ${quote(found)}` }
}

function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text)
}
