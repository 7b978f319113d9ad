import type { Exchange } from '../harness/exchange.js';
import type { TimelineEntry } from './report.js';

/** Lines that are shown of the beginning and of the end of a stream. */
const FIRST = 8;
const LAST = 4;
const MAX_LENGTH = 160;

const cut = (text: string): string => (text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text);

/** What arrived when in an exchange; undefined where the reply was no stream. */
export function timelineOf({
  lines,
  durationMs,
  status,
  cut: wasCut,
}: Exchange): TimelineEntry[] | undefined {
  if (lines.length < 2) return undefined;
  const entries = lines.map(({ afterMs, text }) => ({ afterMs: Math.round(afterMs), text: cut(text) }));
  const hidden = entries.length - FIRST - LAST;
  const shown =
    hidden > 1
      ? [
          ...entries.slice(0, FIRST),
          { afterMs: entries[FIRST]?.afterMs ?? 0, text: `… ${hidden} lines more` },
          ...entries.slice(-LAST),
        ]
      : entries;
  const end = wasCut ? `the connection closed (HTTP ${status})` : `the reply ended (HTTP ${status})`;
  return [...shown, { afterMs: Math.round(durationMs), text: end }];
}
