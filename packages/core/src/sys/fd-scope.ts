import { close, type Fd } from './fd.ts'

/** Descriptors with an owner (`withFds`). A function that opens something for its caller keeps it in the scope that it is given. */
export class FdScope {
  readonly #open = new Set<Fd>()

  /** Returns `fd`, which is closed at the end. */
  keep(fd: Fd): Fd {
    this.#open.add(fd)
    return fd
  }

  /** Returns `fd`, which somebody else closes from now on. */
  release(fd: Fd): Fd {
    this.#open.delete(fd)
    return fd
  }

  close(): void {
    for (const fd of this.#open) close(fd)
    this.#open.clear()
  }
}

/**
 * What `use` returns; what it has kept and not released is closed then, also when it throws. Not a `using`: the engine has
 * none, and what the bundler makes of it costs every verb 38,000 instructions.
 */
export function withFds<Result>(use: (fds: FdScope) => Result): Result {
  const fds = new FdScope()
  try {
    return use(fds)
  } finally {
    fds.close()
  }
}

export async function withFdsAsync<Result>(use: (fds: FdScope) => Promise<Result>): Promise<Result> {
  const fds = new FdScope()
  try {
    return await use(fds)
  } finally {
    fds.close()
  }
}
