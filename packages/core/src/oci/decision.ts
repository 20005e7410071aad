/** What this runtime does with a field of config.json, and the shape of the table that says so of all (support.ts). */

export type Decision =
  | 'supported'
  /** Refused when it is used; why, as a clause. */
  | { readonly unsupported: string; readonly meaningful?: 'zero' }
  /** Supported where the host has this, refused elsewhere. */
  | { readonly needs: HostFeature }
  /** Not looked at; why that is right by the spec. */
  | { readonly ignored: string }

/** A part of the kernel that is there on some hosts only. */
export type HostFeature = 'AppArmor' | 'SELinux' | 'resctrl'

/** One decision per field of an object type. */
export type SupportTable<T> = { readonly [K in keyof T]-?: Support<NonNullable<T[K]>> }

/** The tuples keep a union whole: every value of an enumeration needs its decision. */
export type Support<T> = [T] extends [readonly (infer Item)[]]
  ? [Item] extends [object]
    ? Undone | { readonly each: SupportTable<Item> }
    : Decision | ByValue<Item>
  : [T] extends [string]
    ? Decision | ByValue<T>
    : [T] extends [object]
      ? string extends keyof T
        ? Decision
        : Undone | { readonly fields: SupportTable<T> }
      : Decision

/** Of a string, or of the strings of an array, when they have a fixed set of values. */
type ByValue<T> = [T] extends [string]
  ? string extends T
    ? never
    : { readonly values: { readonly [Value in Exclude<T, ''>]: Decision } }
  : never

/** A whole object cannot be 'supported' in one word: its fields are. */
type Undone = Exclude<Decision, 'supported'>
