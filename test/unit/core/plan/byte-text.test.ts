import { bytesOfText, textOfBytes } from '@crio-lxc/core/plan/byte-text'
import { describe, expect, test } from 'vitest'

describe('textOfBytes()', () => {
  test.each([
    [Buffer.from('plain'), 'plain'],
    [Buffer.from('käse 🙂'), 'käse 🙂'],
    [Buffer.from('\ufeffmark'), '\ufeffmark'],
    [Buffer.from('caf\xe9', 'latin1'), 'caf\udce9'],
    [Buffer.concat([Buffer.from([0xff]), Buffer.from('ä🙂'), Buffer.from([0xf0, 0x9f])]), '\udcffä🙂\udcf0\udc9f'],
    // A surrogate is no character of UTF-8.
    [Buffer.from([0xed, 0xb3, 0xa9]), '\udced\udcb3\udca9'],
  ])('%j', (bytes, text) => {
    expect(textOfBytes(bytes)).toBe(text)
    expect(Buffer.from(bytesOfText(text) ?? text)).toEqual(bytes)
    expect(JSON.parse(JSON.stringify(text))).toBe(text)
  })
})

test('bytesOfText() leaves every other text to UTF-8', () => {
  for (const text of ['', 'plain', 'käse', '🙂', '\ud800', '\udc00x']) expect(bytesOfText(text)).toBeUndefined()
})
