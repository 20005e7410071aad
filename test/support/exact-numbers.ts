/**
 * JSON.parse hands the reviver a number's own digits (ECMAScript 2026): the engine of the product does, Node does from 21
 * on. Imported before anything else, this file brings it to Node 20, so that the suite reads 64-bit integers there too.
 */
type Reviver = (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown

const parse = JSON.parse as (text: string, reviver?: Reviver) => unknown
const numberMark = '\0number '

if (parse('0', (_key, _value, context) => context?.source) === undefined) {
  JSON.parse = (text: string, reviver?: Reviver) => {
    const value = parse(text)
    return reviver === undefined ? value : parse(markNumbers(text), withDigits(reviver))
  }
}

/** Every number of the text as a string that can be told from the others. */
function markNumbers(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) =>
    token.startsWith('"') ? token : JSON.stringify(numberMark + token),
  )
}

function withDigits(reviver: Reviver): Reviver {
  return function (key, value) {
    if (typeof value !== 'string' || !value.startsWith(numberMark)) return reviver.call(this, key, value, {})
    const source = value.slice(numberMark.length)
    return reviver.call(this, key, Number(source), { source })
  }
}
