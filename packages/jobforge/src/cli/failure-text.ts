import { ERROR_CODES, type ErrorDetail, type ErrorEnvelope } from '@controlplane/contracts';
import { printableLine } from './printable.js';
import { toned, type Terminal } from './terminal.js';

/** What is wrong at one place, without the words that every validator begins with. */
function detailText({ path, message }: ErrorDetail): string {
  const words = message.replace(/^Invalid input: /, '');
  return path?.length ? `${path.join('.')}: ${words}` : words;
}

/** An error on one line: its code, then each wrong place or what it says. */
export function failureText(terminal: Terminal, error: ErrorEnvelope): string {
  const places = error.code === 'VALIDATION_ERROR' && error.details.length > 0;
  const said = places ? error.details.map(detailText).join(' · ') : error.message;
  return `${toned(terminal, 'bad', error.code)}  ${printableLine(said)}`;
}

/** Prints why a command was refused, and what can be done about it. */
export function printFailure(terminal: Terminal, error: ErrorEnvelope, aside?: string): void {
  const behind = aside === undefined ? '' : toned(terminal, 'dim', `   (${printableLine(aside)})`);
  terminal.err(`${toned(terminal, 'bad', '✗')} ${failureText(terminal, error)}${behind}`);
  // The places that are wrong were named already: only what is said beyond the catalogue helps.
  if (error.remedy && error.remedy !== ERROR_CODES.VALIDATION_ERROR.remedy)
    terminal.err(toned(terminal, 'dim', `  ${printableLine(error.remedy)}`));
}
