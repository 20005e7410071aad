/** `npm run compile [-- OUTPUT [OPTION...]]`: builds crio-lxc-init, which must run in a rootfs that holds nothing at all. */
import { compileC } from '../../scripts/compile-c.ts'

compileC('crio-lxc-init.c', process.argv[2] ?? 'dist/crio-lxc-init', [
  '-Os',
  '-static',
  '-nostdlib',
  '-ffreestanding',
  // The plan is mapped at a fixed address, so the program's own must not move.
  '-fno-pie',
  '-no-pie',
  // There is no libc to hold a canary or an unwinder.
  '-fno-stack-protector',
  '-fno-asynchronous-unwind-tables',
  '-fno-unwind-tables',
  // The compiler must not turn a loop into a call of memcpy or memset: there is none.
  '-fno-tree-loop-distribute-patterns',
  '-Wl,--build-id=none',
  '-Wl,-z,noexecstack',
  '-Wl,-z,norelro',
  '-s',
  ...process.argv.slice(3),
])
