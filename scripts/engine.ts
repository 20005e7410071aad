/**
 * The engine of the programs: QuickJS from Debian's source package, and a program's modules as bytecode, in one static
 * executable. `CC` and `MUSL_CC` name other compilers for this machine and for musl.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const sources = join(root, 'packages/core/engine')
const cache = join(root, 'node_modules/.cache/crio-lxc')

const VERSION = '2025.04.26'
const PACKAGE = `quickjs=${VERSION}-1`
const ARCHIVE = `quickjs_${VERSION}.orig.tar.xz`
const SHA256 = 'ec81da5b3249ed648dbc7df4a1654988910e66a118d9b71cb63534216efcfbbe'

/** The engine itself; quickjs-libc, which reads files and loads shared objects, is for its compiler alone. */
const library = ['quickjs', 'libregexp', 'libunicode', 'cutils', 'dtoa']
const host = ['engine', 'allocator']

const musl = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-musl`
const libseccomp = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/libseccomp.a`
const cc = process.env['CC'] || 'gcc'
const muslCc = process.env['MUSL_CC'] || 'musl-gcc'

const common = ['-D_GNU_SOURCE', `-DCONFIG_VERSION="${VERSION}"`, '-O2', '-g0', '-fwrapv']
const hardened = [
  '-fPIE',
  '-fstack-protector-strong',
  '-fstack-clash-protection',
  '-ffunction-sections',
  '-fdata-sections',
]
const strict = ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-Wno-unused-parameter', '-Wno-cast-function-type']

/** The executable of the modules in `directory`, of which `entry` is the program. Only what changed is built. */
export function buildProgram(directory: string, entry: string): string {
  mkdirSync(cache, { recursive: true })
  const objects = engineObjects()
  const modules = modulesOf(directory).map((name) => join(directory, name))
  const name = basename(entry, '.js')
  const output = join(cache, `${name}-${digest([...modules, ...objects, import.meta.filename]).slice(0, 16)}`)
  if (existsSync(output)) return output
  for (const old of readdirSync(cache)) if (old.replace(/-[0-9a-f]{16}$/, '') === name) rmSync(join(cache, old))
  const table = join(cache, `${name}.c`)
  writeFileSync(table, moduleTable(directory, entry))
  const object = compile(muslCc, table, [...common, ...hardened, '-I', sources, '-isystem', sourceTree()])
  link([...objects, object], `${output}.new`)
  rmSync(object)
  renameSync(`${output}.new`, output)
  return output
}

/** The archive that apt has verified, or the one that QUICKJS_SOURCE names, on machines without such a mirror. */
function sourceArchive(): string {
  const given = process.env['QUICKJS_SOURCE']
  const path = given || join(cache, ARCHIVE)
  if (!given && !existsSync(path)) download()
  const found = createHash('sha256').update(readFileSync(path)).digest('hex')
  if (found !== SHA256) throw new Error(`${path} is not the source of QuickJS ${VERSION}: its SHA-256 is ${found}`)
  return path
}

/** Of a newer Debian than this machine may be: a configuration of its own leaves that of the machine alone. */
function download(): void {
  const apt = join(cache, 'apt')
  mkdirSync(join(apt, 'lists/partial'), { recursive: true })
  mkdirSync(join(apt, 'cache/archives/partial'), { recursive: true })
  const key = '/usr/share/keyrings/debian-archive-keyring.gpg'
  writeFileSync(join(apt, 'sources.list'), `deb-src [signed-by=${key}] ${debianMirror()} trixie main\n`)
  const options = [
    `Dir::State::Lists=${apt}/lists`,
    `Dir::Cache=${apt}/cache`,
    `Dir::Etc::SourceList=${apt}/sources.list`,
    'Dir::Etc::SourceParts=/dev/null',
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option])
  run('apt-get', ['-q', ...options, 'update'], apt)
  run('apt-get', ['-q', ...options, 'source', '--download-only', PACKAGE], apt)
  renameSync(join(apt, ARCHIVE), join(cache, ARCHIVE))
  rmSync(apt, { recursive: true })
}

/** Where this machine gets Debian's packages from. */
function debianMirror(): string {
  const sites = execFileSync('apt-get', ['indextargets', '--format', '$(REPO_URI)'], { encoding: 'utf8' }).split('\n')
  const mirror = sites.find((site) => /\/debian\/?$/.test(site))
  if (mirror === undefined)
    throw new Error(`download ${PACKAGE}: apt has no mirror of Debian: name it by QUICKJS_SOURCE`)
  return mirror
}

function sourceTree(): string {
  const tree = join(cache, `quickjs-${VERSION}`)
  if (!existsSync(tree)) {
    const unpacked = join(cache, 'unpacking')
    rmSync(unpacked, { recursive: true, force: true })
    mkdirSync(unpacked, { recursive: true })
    run('tar', ['-xJf', sourceArchive(), '-C', unpacked, '--strip-components=1'])
    renameSync(unpacked, tree)
  }
  return tree
}

/** QuickJS's own compiler: JavaScript to bytecode, as arrays in C. */
function compiler(): string {
  const tree = sourceTree()
  const path = join(cache, 'qjsc')
  if (existsSync(path)) return path
  const files = [...library, 'quickjs-libc', 'qjsc'].map((name) => join(tree, `${name}.c`))
  const paths = ['-DCONFIG_CC="cc"', '-DCONFIG_PREFIX="/usr"']
  run(cc, [...common, ...paths, '-o', `${path}.new`, ...files, '-lm', '-ldl', '-lpthread'])
  renameSync(`${path}.new`, path)
  return path
}

function engineObjects(): string[] {
  const tree = sourceTree()
  return [
    ...library.map((name) => compile(muslCc, join(tree, `${name}.c`), [...common, ...hardened])),
    ...host.map((name) =>
      compile(muslCc, join(sources, `${name}.c`), [...common, ...hardened, ...strict, '-isystem', tree]),
    ),
  ]
}

/** The object of a C file, which is compiled only when the file, the header or the options have changed. */
function compile(command: string, source: string, options: readonly string[]): string {
  const key = createHash('sha256')
    .update([command, ...options].join('\0'))
    .update(readFileSync(source))
    .update(readFileSync(join(sources, 'engine.h')))
  const object = join(cache, `${basename(source, '.c')}-${key.digest('hex').slice(0, 16)}.o`)
  if (!existsSync(object)) {
    run(command, [...options, '-c', source, '-o', `${object}.new`])
    renameSync(`${object}.new`, object)
  }
  return object
}

/** C that lists the modules, the program first. A module that is imported later is named, so that it is compiled, too. */
function moduleTable(directory: string, entry: string): string {
  const others = modulesOf(directory).filter((name) => name !== entry)
  const arrays = join(cache, `${basename(entry, '.js')}.bytecode.c`)
  const dynamic = others.flatMap((name) => ['-D', name])
  run(compiler(), ['-c', '-m', '-o', arrays, ...dynamic, entry], directory)
  const code = readFileSync(arrays, 'utf8').replace(/^#include .*$/gm, '')
  const rows = [entry, ...others].map((name) => {
    const array = `qjsc_${basename(name, '.js').replace(/[^A-Za-z0-9]/g, '_')}`
    return `\t{"${name}", ${array}, sizeof(${array})},\n`
  })
  return `#include "engine.h"\n${code}\nconst struct module modules[] = {\n${rows.join('')}\t{0},\n};\n`
}

function modulesOf(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.js'))
    .sort()
}

/** static-pie: a static executable at a random address, which musl-gcc's own specs do not make. */
function link(objects: readonly string[], output: string): void {
  const ofCompiler = (name: string): string =>
    execFileSync(cc, [`-print-file-name=${name}`], { encoding: 'utf8' }).trim()
  run(cc, [
    '-static-pie',
    '-nostdlib',
    ...[`${musl}/rcrt1.o`, `${musl}/crti.o`, ofCompiler('crtbeginS.o')],
    ...objects,
    ...[libseccomp, `${musl}/libc.a`, ofCompiler('libgcc.a'), ofCompiler('crtendS.o'), `${musl}/crtn.o`],
    '-Wl,--gc-sections,-z,relro,-z,now,-z,noexecstack,-z,separate-code,--build-id=none,-s',
    ...['-o', output],
  ])
}

function digest(files: readonly string[]): string {
  const hash = createHash('sha256')
  for (const file of files) hash.update(`${basename(file)}\0`).update(readFileSync(file))
  return hash.digest('hex')
}

function run(command: string, args: readonly string[], cwd = root): void {
  mkdirSync(cache, { recursive: true })
  execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] })
}
