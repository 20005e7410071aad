/** What the engine is built for: the executables that are installed, those of another processor, and a fuzzer's. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { fetch } from './apt.ts'
import { cache, makeWhole, output, run } from './build-cache.ts'
import { packageOf } from './package/dependencies.ts'

/** How C becomes a program. */
export interface Target {
  /** A part of file names. */
  readonly name: string
  readonly compiler: string
  readonly options: readonly string[]
  /** Files of packages/core/engine, without their extension. */
  readonly files: readonly string[]
  /** Only where programs of this target run while it is built: gcc's library that counts what is executed. */
  readonly profiler?: string
  link(objects: readonly string[], executable: string, options?: readonly string[]): void
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
  const compiler = process.env['CC'] || 'gcc'
  const profiler = fileOfCompiler(compiler, 'libgcov.a')
  // A compiler that is not gcc answers with the bare name.
  return { ...muslTarget(process.arch as Processor, compiler, '/'), ...(isAbsolute(profiler) && { profiler }) }
}

export const arm64Compiler = 'aarch64-linux-gnu-gcc'

/** For arm64 on any machine: musl and libseccomp come from Debian's packages for it. */
export function arm64Target(): Target {
  return muslTarget('arm64', arm64Compiler, arm64Packages())
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
    options: [architecture(processor), ...hardened, '-nostdinc', ...headers.flatMap((path) => ['-isystem', path])],
    files: ['engine', 'allocator'],
    link: (objects, executable, options = []) =>
      run(compiler, [
        '-static-pie',
        '-nostdlib',
        ...[`${musl}/rcrt1.o`, `${musl}/crti.o`, fileOfCompiler(compiler, 'crtbeginS.o')],
        ...objects,
        ...[join(root, `usr/lib/${triplet}-gnu/libseccomp.a`), `${musl}/libc.a`],
        ...[fileOfCompiler(compiler, 'libgcc.a'), fileOfCompiler(compiler, 'crtendS.o'), `${musl}/crtn.o`],
        // libseccomp's words for a person, which nothing asks for.
        '-Wl,--defsym=__fprintf_chk=abort',
        // What libgcc asks glibc for, to see whether the processor has atomic instructions.
        ...(processor === 'arm64' ? ['-Wl,-u,getauxval,--defsym=__getauxval=getauxval'] : []),
        '-Wl,--gc-sections,-z,relro,-z,now,-z,noexecstack,-z,separate-code,--build-id=none,-s',
        ...options,
        ...['-o', executable],
      ]),
  }
}

function architecture(processor: string): string {
  return `-DARCHITECTURE="${processor}"`
}

function fileOfCompiler(compiler: string, name: string): string {
  return output(compiler, [`-print-file-name=${name}`])
}

/** What is linked into the programs of arm64, and liblxc, against which crio-lxc-start is linked. */
function arm64PackageNames(): string[] {
  return ['musl-dev', 'libseccomp-dev', packageOf('lxc/lxccontainer.h'), packageOf('liblxc.so.1')]
}

/** Unpacked, not installed: nothing of them is executed here. The packages themselves are in its directory `packages`. */
export function arm64Packages(): string {
  const release = output('sh', ['-c', '. /etc/os-release; echo "$VERSION_CODENAME"'])
  const tree = join(cache, ['arm64', release, ...arm64PackageNames()].join('-'))
  if (!existsSync(tree))
    makeWhole(tree, (directory) => {
      const packages = join(directory, 'packages')
      mkdirSync(packages)
      fetch({ type: 'deb', release, architecture: 'arm64' }, ['download', ...arm64PackageNames()], packages)
      for (const name of readdirSync(packages)) run('dpkg', ['-x', join(packages, name), directory])
    })
  return tree
}

/** With AddressSanitizer and UndefinedBehaviorSanitizer, which need glibc; its memory is malloc's, where every reallocation moves. */
export function sanitizedTarget(): Target {
  const compiler = process.env['CC'] || 'gcc'
  const sanitizers = '-fsanitize=address,undefined'
  return {
    name: 'sanitized',
    compiler,
    options: [architecture(process.arch), '-O2', '-g', sanitizers],
    files: ['engine'],
    link: (objects, executable, options = []) =>
      run(compiler, [sanitizers, ...objects, '-lseccomp', '-lm', ...options, '-o', executable]),
  }
}
