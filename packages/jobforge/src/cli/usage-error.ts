import type { Command, CommanderError } from 'commander';
import { misused, type CliFailure } from './cli-failure.js';

/** The command that a command line goes to, as far as its words name one. */
function commandOf(program: Command, argv: readonly string[]): Command {
  let command = program;
  for (const word of argv) {
    const next = command.commands.find((candidate) => candidate.name() === word);
    if (next === undefined) break;
    command = next;
  }
  return command;
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** In the words of every other error: one line, in double quotes, what was probably meant behind it. */
function wordsOf(message: string): string {
  return message
    .replace(/^error: /, '')
    .replaceAll("'", '"')
    .replace(/\n\(Did you mean (.+)\?\)$/s, (_, meant: string) => ` (did you mean "${meant}"?)`)
    .replaceAll(' is invalid. expected', ' is invalid: expected')
    .replace(/\.$/, '');
}

/** Why a command line was not understood, in place of what the parser has to say. */
export function usageError(program: Command, argv: readonly string[], error: CommanderError): CliFailure {
  const command = pathOf(commandOf(program, argv));
  return misused(wordsOf(error.message), `Run \`${command} --help\` to see what it takes.`);
}
