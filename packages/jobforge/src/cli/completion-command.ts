import { Argument, type Command } from 'commander';
import type { CliContext } from './cli-context.js';
import { completionScript, SHELLS, type CompletableCommand, type Shell } from './completion-script.js';

/** Every command below one, itself first, as its help lists them. */
export function completableCommands(command: Command, path: readonly string[] = []): CompletableCommand[] {
  const help = command.createHelp();
  const visible = help.visibleCommands(command).filter((child) => child.name() !== 'help');
  const options = help
    .visibleOptions(command)
    .flatMap(({ long, description }) =>
      long === undefined || long === null ? [] : [{ name: long, description }],
    );
  const subcommands = visible.map((child) => ({ name: child.name(), description: child.description() }));
  return [
    { path, subcommands, options },
    ...visible.flatMap((child) => completableCommands(child, [...path, child.name()])),
  ];
}

/** `jobforge completion` */
export function addCompletionCommand(program: Command, { terminal }: CliContext): void {
  program
    .command('completion')
    .description('print what teaches a shell the words of this command')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText(
      'after',
      `
bash  source <(jobforge completion bash)
zsh   source <(jobforge completion zsh)
fish  jobforge completion fish > ~/.config/fish/completions/jobforge.fish`,
    )
    .action((shell: Shell) =>
      terminal.out(completionScript(shell, program.name(), completableCommands(program)).trimEnd()),
    );
}
