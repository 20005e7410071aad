/**
 * liblxc as a library, for programs on Node: the executables are not linked with it, and ask crio-lxc-start. What is asked
 * here parses and answers; starting a container takes a process with one thread (crio-lxc-start.c).
 */
import { decode } from '../abi/bytes.ts'
import { RuntimeError } from '../errors/runtime-error.ts'
import { engine, type ForeignLibrary } from '../sys/engine.ts'
import { type ApiExtension, apiExtensions } from './api-extensions.ts'

let loaded: ForeignLibrary | undefined

/** Throws RuntimeError `liblxc` when there is none. */
export function library(): ForeignLibrary {
  try {
    loaded ??= engine.foreign?.('liblxc.so.1')
  } catch (cause) {
    throw new RuntimeError(
      'liblxc',
      `load liblxc.so.1: ${(cause as Error).message}: install liblxc 5.0 or newer (Debian 12: liblxc1, Debian 13: liblxc1t64)`,
      { cause },
    )
  }
  if (loaded === undefined) throw new RuntimeError('liblxc', 'load liblxc.so.1: only programs on Node can')
  return loaded
}

/** Of liblxc: "5.0.2". */
export function liblxcVersion(): string {
  return textAt(library().call('lxc_get_version'))
}

/** lxc_has_api_extension(3). */
export function hasApiExtension(name: ApiExtension | (string & {})): boolean {
  return isTrue(library().call('lxc_has_api_extension', name))
}

/** Of those that are known the ones that this liblxc has. */
export function liblxcExtensions(): ApiExtension[] {
  return apiExtensions.filter(hasApiExtension)
}

/** lxc_config_item_is_supported(3): whether liblxc, as it was built here, knows the key of a config. */
export function isConfigItemSupported(key: string): boolean {
  return isTrue(library().call('lxc_config_item_is_supported', key))
}

/** A C bool: of the word that carries it the other bytes mean nothing. */
export function isTrue(word: number): boolean {
  return (BigInt.asUintN(8, BigInt(word)) & 1n) === 1n
}

/** The text at an address that liblxc owns; empty for NULL. */
export function textAt(address: number): string {
  if (address === 0) return ''
  return decode(library().read(address, library().call('strlen', address)))
}
