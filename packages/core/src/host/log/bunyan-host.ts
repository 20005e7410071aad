/**
 * What bunyan asks of Node for a record that goes to a raw stream, and nothing more: the bundler gives it this in the place
 * of Node's modules and globals (scripts/tsup-program.ts). It imports nothing: bunyan, which is CommonJS, requires it, and of
 * a module that is required, and of all that it imports, the bundler makes functions that are called when they are asked for.
 */

// os
export const EOL = '\n'
export function hostname(): string {
  return 'localhost' // a field of bunyan's record that no line of ours has
}

// util
/** Only `%s`, the one format that is used. */
export function format(text: string, ...values: readonly unknown[]): string {
  return values.reduce<string>((result, value) => result.replace('%s', () => String(value)), text)
}
export const inspect = String
export function inherits(derived: object, base: { prototype: object }): void {
  Object.setPrototypeOf((derived as { prototype: object }).prototype, base.prototype)
}

// assert
export function ok(condition: unknown, message?: string): asserts condition {
  if (!condition) throw new Error(message)
}

// events, stream: called as constructors of old, and nothing of them is used
export function EventEmitter(): void {}
export class Writable {}

export const process = {
  versions: { node: '0' },
  env: {},
  pid: 0, // another such field
}
export const Buffer = { isBuffer: (): boolean => false }
