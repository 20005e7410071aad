/** The documents of the repository, and what of them can be held against it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

export const repository = resolve(import.meta.dirname, '../..')

/** Paths below the repository. */
export function documents(): string[] {
  const below = readdirSync(join(repository, 'docs'), { recursive: true, encoding: 'utf8' })
  const top = readdirSync(repository).filter((name) => name.endsWith('.md'))
  return [...top, ...below.map((name) => join('docs', name)).filter((name) => name.endsWith('.md'))]
}

export function textOf(name: string): string {
  return readFileSync(join(repository, name), 'utf8')
}

/** Everything outside of code. */
export function proseOf(text: string): string {
  return withoutBlocks(text).replace(/`[^`\n]*`/g, '')
}

/** Inline code, also where it goes over the end of a line. */
export function spansOf(text: string): string[] {
  return [...withoutBlocks(text).matchAll(/`([^`]+)`/g)].map(([, code = '']) => code.replace(/\s*\n\s*/g, ' '))
}

/** A block of code, fenced or indented, and the fence's word. */
export interface Block {
  readonly language: string
  readonly lines: readonly string[]
}

export function blocksOf(text: string): Block[] {
  const fenced = [...text.matchAll(fence)].map(([, indent = '', language = '', code = '']) => ({
    language,
    lines: code.split('\n').map((line) => line.slice(indent.length)),
  }))
  const indented = [...text.replace(fence, '').matchAll(/\n\n((?: {4,}\S.*\n)+)/g)].map(([, code = '']) => ({
    language: '',
    lines: code.split('\n').map((line) => line.trim()),
  }))
  return [...fenced, ...indented]
}

const fence = /^( *)```(\w*)\n(.*?)^ *```$/gms

function withoutBlocks(text: string): string {
  return text.replace(fence, '')
}

/** Links of `name` that lead nowhere: a file that is not there, or a heading that its document has not. */
export function brokenLinks(name: string): string[] {
  const links = [...proseOf(textOf(name)).matchAll(/\]\((?!\w+:)([^)\s]+)\)/g)].map(([, link = '']) => link)
  return links.filter((link) => {
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? name : join(dirname(name), path)
    if (!existsSync(join(repository, target))) return true
    return anchor !== undefined && !anchorsOf(textOf(target)).includes(anchor)
  })
}

/** What a heading is called in a link, as forges make it. */
export function anchorsOf(text: string): string[] {
  const headings = [...withoutBlocks(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading)
  const names = headings.map((heading) =>
    heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  )
  return names.map((name, index) => {
    const before = names.slice(0, index).filter((other) => other === name).length
    return before === 0 ? name : `${name}-${before}`
  })
}
