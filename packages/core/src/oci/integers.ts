/**
 * The integer types of the spec. Numbers that fit JavaScript's safe integers are numbers; a 64-bit value beyond
 * 2^53 - 1 (an unlimited rlimit is 2^64 - 1) is a bigint, so that no value is rounded. `parseSpec` makes exactly
 * this choice, and the generated validator checks it together with the ranges below.
 */

/**
 * 0 to 65535.
 * @asType integer
 * @minimum 0
 * @maximum 65535
 */
export type Uint16 = number

/**
 * -2147483648 to 2147483647.
 * @asType integer
 * @minimum -2147483648
 * @maximum 2147483647
 */
export type Int32 = number

/**
 * 0 to 4294967295.
 * @asType integer
 * @minimum 0
 * @maximum 4294967295
 */
export type Uint32 = number

/**
 * Of a user or a group: 0 to 4294967294. The last 32-bit number is nobody's: system calls take it for "no change", so that
 * who asked for it would stay root.
 * @asType integer
 * @minimum 0
 * @maximum 4294967294
 */
export type Id = number

/** -2^63 to 2^63 - 1: a number when it is a safe integer, else a bigint. */
export type Int64 = number | bigint

/** 0 to 2^64 - 1: a number when it is a safe integer, else a bigint. */
export type Uint64 = number | bigint
