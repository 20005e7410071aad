/** What the engine is built for: the executables that are installed, those of another processor, and a fuzzer's. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fetch } from './apt.ts'
import { cache, makeWhole, output, run } from './build-cache.ts'

/** How C becomes a program. */
export interface Target {
  /** A part of file names. */
  readonly name: string
  readonly compiler: string
  readonly options: readonly string[]
  /** Only in place of packages/core/engine/allocator.c. */
  readonly allocator?: string
  link(objects: readonly string[], executable: string): void
}

type Processor = 'x64' | 'arm64'

const triplets: Readonly<Record<Processor, string>> = { x64: 'x86_64-linux', arm64: 'aarch64-linux' }

const hardened = [
  '-O3',
  '-fPIE',
  '-fstack-protector-strong',
  '-fstack-clash-protection',
  '-ffunction-sections',
  '-fdata-sections',
]

/** For this machine; `CC` names another compiler. */
export function ownTarget(): Target {
  return muslTarget(process.arch as Processor, process.env['CC'] || 'gcc', '/')
}

/** For arm64 on any machine: musl and libseccomp come from Debian's packages for it. */
export function arm64Target(): Target {
  return muslTarget('arm64', 'aarch64-linux-gnu-gcc', arm64Packages())
}

/**
 * musl and libseccomp.a below `root`. What musl-gcc(1) does stands here, for it knows neither another processor nor
 * static-pie: a static executable at a random address.
 */
function muslTarget(processor: Processor, compiler: string, root: string): Target {
  const triplet = triplets[processor]
  const musl = join(root, `usr/lib/${triplet}-musl`)
  const headers = [join(root, `usr/include/${triplet}-musl`), fileOfCompiler(compiler, 'include')]
  return {
    name: processor,
    compiler,
    options: [...hardened, '-nostdinc', ...headers.flatMap((directory) => ['-isystem', directory])],
    link: (objects, executable) =>
      run(compiler, [
        '-static-pie',
        '-nostdlib',
        ...[`${musl}/rcrt1.o`, `${musl}/crti.o`, fileOfCompiler(compiler, 'crtbeginS.o')],
        ...objects,
        ...[join(root, `usr/lib/${triplet}-gnu/libseccomp.a`), `${musl}/libc.a`],
        ...[fileOfCompiler(compiler, 'libgcc.a'), fileOfCompiler(compiler, 'crtendS.o'), `${musl}/crtn.o`],
        // What libgcc asks glibc for, to see whether the processor has atomic instructions.
        ...(processor === 'arm64' ? ['-Wl,-u,getauxval,--defsym=__getauxval=getauxval'] : []),
        '-Wl,--gc-sections,-z,relro,-z,now,-z,noexecstack,-z,separate-code,--build-id=none,-s',
        ...['-o', executable],
      ]),
  }
}

function fileOfCompiler(compiler: string, name: string): string {
  return output(compiler, [`-print-file-name=${name}`])
}

/** Unpacked, not installed: nothing of them is executed here. */
function arm64Packages(): string {
  const tree = join(cache, 'arm64')
  const release = output('sh', ['-c', '. /etc/os-release; echo "$VERSION_CODENAME"'])
  if (!existsSync(tree))
    makeWhole(tree, (directory) => {
      const packages = join(directory, 'packages')
      mkdirSync(packages)
      fetch({ type: 'deb', release, architecture: 'arm64' }, ['download', 'musl-dev', 'libseccomp-dev'], packages)
      for (const name of readdirSync(packages)) run('dpkg', ['-x', join(packages, name), directory])
    })
  return tree
}

/** With AddressSanitizer and UndefinedBehaviorSanitizer, which need glibc; its memory is malloc's. */
export function sanitizedTarget(allocator: string): Target {
  const compiler = process.env['CC'] || 'gcc'
  const sanitizers = '-fsanitize=address,undefined'
  return {
    name: 'sanitized',
    compiler,
    options: ['-O2', '-g', sanitizers],
    allocator,
    link: (objects, executable) => run(compiler, [sanitizers, ...objects, '-lseccomp', '-lm', '-o', executable]),
  }
}
