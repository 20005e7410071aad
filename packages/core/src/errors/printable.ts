/**
 * Characters that steer a terminal or deceive its reader: controls (C0, DEL, C1), format characters such as those that turn
 * the direction of text, separators that some take for the end of a line, and bytes that are no text (abi/bytes.ts). Source of a regular expression with the flag u.
 */
export const UNPRINTABLE = '[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Cs}]'

/** Made for the first text that may need it: to expand its classes takes a twentieth of `state`. */
let unprintable: RegExp | undefined
/** Nearly every text has nothing else, and is looked at for less than the other expression costs. */
const plain = /^[\n\t\x20-\x7e]*$/

/**
 * The text with every such character but line feed and tab as JSON escapes it, `\u001b`: what every sink does to what a
 * terminal may show. A text in JSON stays the same JSON, as there they stand in strings only.
 */
export function printable(text: string): string {
  if (plain.test(text)) return text
  unprintable ??= new RegExp(`(?![\\n\\t])${UNPRINTABLE}`, 'gu')
  return text.replace(unprintable, (character) =>
    Array.from(
      { length: character.length },
      (_, unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`,
    ).join(''),
  )
}
