#include <array>
#include <utility>

#include "cli/completion.hpp"

namespace mayfly::cli {
namespace {

// bash splits words at "=" and ":"; the program takes and returns whole words.
constexpr std::string_view bash = R"bash(# bash completion for mayfly

_mayfly_paths() {
  local IFS=$'\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen "$1" -- "$cur"))
}

_mayfly() {
  local cur=${COMP_WORDS[COMP_CWORD]} kind line word join= last=-1 at
  local -a words=() ours
  for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
    if [[ ( $join || $word == [=:]* ) && $last -ge 0 ]]; then words[last]+=$word
    else words[++last]=$word; fi
    join=
    [[ $word == *[=:] ]] && join=yes
  done
  [[ $cur == [=:] ]] && cur=
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ -z $kind ]]; then kind=$line
    else word=${line%%$'\t'*}; COMPREPLY+=("${word#"${words[last]%"$cur"}"}"); fi
  done < <("${COMP_WORDS[0]}" completion bash --words -- "${words[@]}" 2>/dev/null)
  case $kind in
  files) _mayfly_paths -f ;;
  directories) _mayfly_paths -d ;;
  program)
    ours=("${COMPREPLY[@]}")
    for ((at = 1; at < COMP_CWORD; at++)); do
      [[ ${COMP_WORDS[at]} == curl ]] && break
      [[ ${COMP_WORDS[at]} == -- ]] && { ((at++)); break; }
    done
    # bash-completion knows how to complete a command within a command.
    if declare -F _command_offset >/dev/null; then _command_offset $at; else _mayfly_paths -f; fi
    COMPREPLY+=("${ours[@]}") ;;
  esac
}

complete -F _mayfly mayfly
)bash";

// zsh's loader runs the file as the body of the function; a sourced script registers itself.
constexpr std::string_view zsh = R"zsh(#compdef mayfly
# zsh completion for mayfly

_mayfly() {
  local kind line
  local -a answer names shown
  answer=("${(@f)$($words[1] completion zsh --words -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
  kind=$answer[1]
  for line in "${(@)answer[2,-1]}"; do
    names+=("${line%%$'\t'*}")
    shown+=("${line/$'\t'/  -- }")
  done
  case $kind in
  files|directories)
    [[ $PREFIX == -*=* ]] && compset -P '*='
    if [[ $kind == files ]]; then _files; else _files -/; fi
    ;;
  program)
    (( $#names )) && compadd -a names
    local -i at=$words[(i)(curl|--)]
    [[ $words[at] == -- ]] && (( at += 1 ))
    words=("${(@)words[at,-1]}")
    (( CURRENT -= at - 1 ))
    _normal
    ;;
  words)
    (( $#names )) && compadd -l -d shown -a names
    ;;
  esac
}

if [[ $funcstack[1] == _mayfly ]]; then
  _mayfly "$@"
else
  compdef _mayfly mayfly
fi
)zsh";

constexpr std::string_view fish = R"fish(# fish completion for mayfly

function __mayfly_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l answer ($words[1] completion fish --words -- $words[2..] "$current" 2>/dev/null)
    set -l flag (string match -r -- '^-[^=]*=' "$current")
    set -l path (string replace -r -- '^-[^=]*=' '' "$current")
    switch "$answer[1]"
        case files
            for file in (__fish_complete_path "$path")
                echo "$flag$file"
            end
        case directories
            for directory in (__fish_complete_directories "$path")
                echo "$flag$directory"
            end
        case program
            set -l at (contains -i -- curl $words; or math (contains -i -- -- $words) + 1)
            complete -C (string join ' ' -- (string escape -- $words[$at..]) "$current")
    end
    printf '%s\n' $answer[2..]
end

complete -c mayfly -f -a '(__mayfly_complete)'
)fish";

}  // namespace

std::string_view completion_script(std::string_view shell) {
  return shell == "bash" ? bash : shell == "zsh" ? zsh : fish;
}

}  // namespace mayfly::cli
