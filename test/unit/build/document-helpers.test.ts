/** The tests of the documents see what is wrong. */
import { describe, expect, it } from 'vitest'
import { callsOf, isShown, mayFail, outcomesOf, scriptOf } from '../../support/console.ts'
import { mentionsOf, optionsAlone, problemOf } from '../../support/document-commands.ts'
import { anchorsOf, blocksOf, spansOf } from '../../support/documents.ts'

describe('a command line', () => {
  const problemsOf = (document: string) => Promise.all(mentionsOf(document).map(problemOf))

  it.each([
    ['text `crio-lxc lst` text', 'unknown command "lst"'],
    ['`create --bundel DIR`', '--bundel'],
    ['`/usr/bin/crio-lxc --rooot /x list`', '--rooot'],
    ['Do:\n\n    cd /srv && crio-lxc create | cat\n\n', 'exactly 1 argument'],
    ['```sh\nx=$(crio-lxc state --id web | jq .pid)\n```\n', '--id'],
    ['```console\n# A=1 crio-lxc kill a b c >/dev/null\n```\n', 'a maximum of 2'],
    ['```console\n# crio-lxc inspect web & crio-lxc nothing\n```\n', 'unknown command "nothing"'],
  ])('%j is wrong', async (document, problem) => {
    expect(await problemsOf(document)).toContainEqual(expect.stringContaining(problem))
  })

  it.each([
    '`crio-lxc VERB --help` and `crio-lxc exec --process`, `ps -o pid`',
    '`delete --force`',
    '```sh\ncrio-lxc create --bundle /x web >/dev/null 2>&1 </dev/null # not crio-lxc rm\n```\n',
    '```toml\ncrio-lxc = ["crio-lxc", "rm"]\n```\n',
    '    apt-get install crio-lxc rm\n',
    '```console\n# crio-lxc list\ncrio-lxc rm\n```\n',
  ])('%j is right', async (document) => {
    expect((await problemsOf(document)).filter((problem) => problem !== undefined)).toEqual([])
  })

  it('has options that stand alone', () => {
    expect(optionsAlone('`--root DIR`, `--no-pivot`, `-v`, `a --b`')).toEqual(['root', 'no-pivot'])
  })
})

describe('a document', () => {
  it('has headings by which links find them', () => {
    expect(anchorsOf('# A `b` (c)!\n\n```\n# no\n```\n## x-y: 137\n## A b c\n## [z](q.md)\n')).toEqual([
      'a-b-c',
      'x-y-137',
      'a-b-c-1',
      'z',
    ])
  })

  it('has code in blocks and lines', () => {
    const text = 'a `b\nc`\n\n   ```sh\n   d\n   ```\n\n    e\n    f\n\n'
    expect(spansOf(text)).toEqual(['b c'])
    expect(blocksOf(text).map(({ language, lines }) => [language, lines[0]])).toEqual([
      ['sh', 'd'],
      ['', 'e'],
    ])
  })
})

describe('a console block', () => {
  const page = '```console\n# echo a\na\n# cat <<end\n> b\n> end\nb\n# false\n# echo $?\n1\n```\n'

  it('is its commands and what they print', () => {
    expect(callsOf(page)).toEqual([
      { command: 'echo a', printed: ['a'] },
      { command: 'cat <<end\nb\nend', printed: ['b'] },
      { command: 'false', printed: [] },
      { command: 'echo $?', printed: ['1'] },
    ])
    expect([0, 1, 2, 3].map((index) => mayFail(callsOf(page), index))).toEqual([false, false, true, false])
  })

  it('becomes a script, whose output is taken apart again', () => {
    const script = scriptOf(callsOf(page))
    expect(script.match(/@@ends with/g)).toHaveLength(4)
    expect(outcomesOf('a\n\n@@ends with 0\n\n@@ends with 3\nc\r\nd\n@@ends with 0\n')).toEqual([
      { status: 0, printed: ['a'] },
      { status: 3, printed: [] },
      { status: 0, printed: ['c', 'd'] },
    ])
  })

  it.each([
    [['pid 4711 at 2026-11-30T16:23:36.748Z'], ['pid 99 at 2027-01-01T00:00:00.000Z']],
    [['A    B'], ['A B']],
    [
      ['...', 'x', '...'],
      ['a', 'x'],
    ],
    [['a ... c'], ['a b c']],
    [['12.5 ms'], ['7 ms']],
    [['0.0% of 300.0 KiB'], ['7.5% of 1.2 MiB']],
  ])('shows %j, of which %j is one', (shown, printed) => {
    expect(isShown(shown, printed)).toBe(true)
  })

  it.each([
    [['7'], ['8']],
    [['137'], ['126']],
    [['a'], ['a', 'b']],
    [
      ['...', 'x'],
      ['x', 'y'],
    ],
    [[], ['a']],
    [['a.c'], ['abc']],
  ])('shows %j, of which %j is none', (shown, printed) => {
    expect(isShown(shown, printed)).toBe(false)
  })
})
