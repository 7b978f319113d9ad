import { misused } from './cli-failure.js';

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const spanMs = (text: string): number | undefined => {
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const ms = UNITS[unit ?? ''];
  return ms === undefined ? undefined : Number(count) * ms;
};

/**
 * Reads a length of time such as `90s`, `30m`, `2h` or `3d`.
 * @returns milliseconds
 * @throws CliFailure where it is none
 */
export function lengthMs(text: string): number {
  const ms = spanMs(text);
  if (ms !== undefined) return ms;
  throw misused(`"${text}" is no length of time: expected one like 90s, 30m, 2h or 3d.`);
}

function read(text: string, now: number, direction: 1 | -1): string {
  const ms = spanMs(text);
  if (ms !== undefined) return new Date(now + direction * ms).toISOString();
  const parsed = /^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(parsed)) return new Date(parsed).toISOString();
  throw misused(`"${text}" is no time: expected one like 90s, 30m, 2h or 3d, or 2026-01-31T12:00:00Z.`);
}

/**
 * Reads a time in the past: `90s`, `30m`, `2h` and `3d` count back from now; else an ISO time.
 * @throws CliFailure where it is neither
 */
export function moment(text: string, now: number): string {
  return read(text, now, -1);
}

/**
 * Reads a time to come: `90s`, `30m`, `2h` and `3d` count from now on; else an ISO time.
 * @throws CliFailure where it is neither
 */
export function momentAhead(text: string, now: number): string {
  return read(text, now, 1);
}
