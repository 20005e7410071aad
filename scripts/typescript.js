/** `node --import ./scripts/typescript.js FILE.ts [ARGUMENT]...`: runs TypeScript on any Node from 20.6 on. */
import { register } from 'node:module'

register('./typescript-hooks.js', import.meta.url)
