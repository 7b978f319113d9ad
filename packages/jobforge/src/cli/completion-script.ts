/** A command as a shell completes it: its words, and the options behind them. */
export interface CompletableCommand {
  /** Such as `['job', 'submit']`; empty for the command itself. */
  readonly path: readonly string[];
  readonly subcommands: readonly CompletableName[];
  readonly options: readonly CompletableName[];
}

export interface CompletableName {
  readonly name: string;
  readonly description: string;
}

export type Shell = 'bash' | 'zsh' | 'fish';

export const SHELLS: readonly Shell[] = ['bash', 'zsh', 'fish'];

const names = (of: readonly CompletableName[]): string => of.map(({ name }) => name).join(' ');

/** Within single quotes of sh, bash and zsh. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

const wordsOf = ({ subcommands, options }: CompletableCommand): string =>
  [names(subcommands), names(options)].filter((part) => part !== '').join(' ');

/** The words that are commands, in the order in which they stand: what a shell does with a line so far. */
const PATH_OF_LINE = `  local path="" word
  for word in "\${words_before[@]}"; do
    [[ $word == -* ]] && continue
    case " $commands " in
      *" $path\${path:+/}$word "*) path="$path\${path:+/}$word" ;;
    esac
  done`;

function bash(command: string, table: readonly CompletableCommand[]): string {
  const paths = table.flatMap(({ path }) => (path.length > 0 ? [path.join('/')] : []));
  const cases = table.map(
    (entry) => `    ${quoted(entry.path.join('/'))}) words=${quoted(wordsOf(entry))} ;;`,
  );
  return `# ${command} completion for bash: put \`source <(${command} completion bash)\` into ~/.bashrc
_${command}_completion() {
  local commands=${quoted(paths.join(' '))}
  local words_before=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
${PATH_OF_LINE}
  local words=""
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _${command}_completion ${command}
`;
}

function zsh(command: string, table: readonly CompletableCommand[]): string {
  const paths = table.flatMap(({ path }) => (path.length > 0 ? [path.join('/')] : []));
  const described = ({ name, description }: CompletableName): string =>
    quoted(`${name.replaceAll(':', '\\:')}:${description}`);
  const cases = table.map(({ path, subcommands, options }) => {
    const entries = [...subcommands, ...options].map(described).join(' ');
    return `    ${quoted(path.join('/'))}) described=(${entries}) ;;`;
  });
  return `#compdef ${command}
# ${command} completion for zsh: put \`source <(${command} completion zsh)\` into ~/.zshrc, behind compinit
_${command}_completion() {
  local commands=${quoted(paths.join(' '))}
  local -a words_before described
  words_before=("\${words[@]:1:$((CURRENT-2))}")
${PATH_OF_LINE}
  case "$path" in
${cases.join('\n')}
  esac
  _describe '${command}' described || _files
}
compdef _${command}_completion ${command}
`;
}

function fish(command: string, table: readonly CompletableCommand[]): string {
  const escaped = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = table.flatMap(({ path, subcommands, options }) => {
    const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`);
    const children = names(subcommands);
    const none = children === '' ? [] : [`not __fish_seen_subcommand_from ${children}`];
    const condition = [...seen, ...none].join('; and ');
    const when = condition === '' ? '' : ` -n ${escaped(condition)}`;
    return [
      ...subcommands.map(
        ({ name, description }) =>
          `complete -c ${command} -f${when} -a ${escaped(name)} -d ${escaped(description)}`,
      ),
      ...options.map(
        ({ name, description }) =>
          `complete -c ${command}${when} -l ${escaped(name.replace(/^--/, ''))} -d ${escaped(description)}`,
      ),
    ];
  });
  return `# ${command} completion for fish: \`${command} completion fish > ~/.config/fish/completions/${command}.fish\`
${lines.join('\n')}
`;
}

const SCRIPTS: Readonly<Record<Shell, typeof bash>> = { bash, zsh, fish };

/** The text that teaches a shell the words of a command. */
export function completionScript(
  shell: Shell,
  command: string,
  table: readonly CompletableCommand[],
): string {
  return SCRIPTS[shell](command, table);
}
