/** For each shell a script that asks this program for the words. */
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'

/**
 * bash breaks words at the characters of COMP_WORDBREAKS, `=` and `:` too: what touches is put together again, and of a word with
 * a break only what stands behind that is replaced.
 */
const bash = `# source <(crio-lxc completion)
_crio_lxc() {
  local line=\${COMP_LINE:-"\${COMP_WORDS[*]}"} word rest words=() IFS=$'\\n'
  for word in "\${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
    rest=\${line#"\${line%%[![:space:]]*}"}
    if [[ $rest == "$line" && \${#words[@]} -gt 0 ]]; then words[-1]+=$word; else words+=("$word"); fi
    line=\${rest#"$word"}
  done
  COMPREPLY=($("$1" --get-completions "\${words[@]:1}" 2>/dev/null))
  word=\${words[-1]}
  if [[ $word == *=* && $COMP_WORDBREAKS == *=* ]]; then COMPREPLY=("\${COMPREPLY[@]#"\${word%=*}="}"); fi
  if [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == *= ]]; then compopt -o nospace; fi
}
complete -o bashdefault -o default -F _crio_lxc crio-lxc
`

/** Sourced, or as the file _crio-lxc in a directory of $fpath. */
const zsh = `#compdef crio-lxc
# source <(crio-lxc completion zsh)
_crio_lxc() {
  local -a found
  found=("\${(@f)$("\${words[1]}" --get-completions "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if (( \${#found} == 0 )) || [[ -z "\${found[1]}" ]]; then
    compset -P '--*='
    _files
  else
    compadd -S '' -- \${(M)found:#*=}
    compadd -- \${found:#*=}
  fi
}
if [[ \${zsh_eval_context[-1]} == loadautofunc ]]; then _crio_lxc "$@"; else compdef _crio_lxc crio-lxc; fi
`

/** -f, or fish offers the files of the directory beside the words. */
const fish = `# crio-lxc completion fish | source
function __crio_lxc
  set -l line (commandline -opc) (commandline -ct)
  set -l words ($line[1] --get-completions $line[2..-1] 2>/dev/null)
  set -l parts (string split -m 1 = -- $line[-1])
  if set -q words[1]
    printf '%s\\n' $words
  else if string match -q -- '-*=*' $line[-1]
    for path in (__fish_complete_path $parts[2])
      printf '%s\\n' $parts[1]=$path
    end
  else
    __fish_complete_path $line[-1]
  end
end
complete -c crio-lxc -f -a '(__crio_lxc)'
`

const scripts: Readonly<Record<string, string>> = { bash, zsh, fish }

export const shells: readonly string[] = Object.keys(scripts)

/** Throws RuntimeError `usage` for another shell. */
export function completionScript(shell: string): string {
  if (Object.hasOwn(scripts, shell)) return scripts[shell] ?? ''
  throw new RuntimeError(
    'usage',
    `completion for ${JSON.stringify(shell)} is not supported: want one of ${shells.join(', ')}`,
  )
}
