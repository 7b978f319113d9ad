import type { RunnerMark, RunnerStatus } from '@controlplane/contracts';

/** Why nothing is offered to a runner for a while, in words that follow its name. */
const BLOCK_WORDS = {
  busy: 'was busy a moment ago',
  silent: 'did not take what it was offered a moment ago',
  replaced: 'answers as another process than the one that registered; it has to register anew',
  unsigned: 'refuses the signature of what it is sent; it has to register anew',
} as const;
export type BlockCause = keyof typeof BLOCK_WORDS;

/** What is known of a runner's life. */
export interface RunnerVitals {
  /** As the runner last said of itself, by beat or health reply. */
  readonly reported: Exclude<RunnerStatus, 'offline'>;
  /** Nothing was heard and its probe was not answered. */
  readonly lost: boolean;
  /** JobForge was restarted and has not heard of it since. */
  readonly unheard: boolean;
  readonly draining: boolean;
  /** Its execute URL refused the last connection. */
  readonly unreachable: boolean;
  /** For how long its main thread had not answered, as its watchdog last said; 0 while it does. */
  readonly stalledMs: number;
  /** Nothing is offered before then. */
  readonly blockedUntil: number;
  readonly blockedFor: BlockCause;
}

/** A drain is the word to one process: the next one of the same runner is used again. */
export interface DrainMark extends RunnerMark {
  readonly instanceId?: string;
}

/** What operators have said about a runner. Kept apart from its registration, which the runner itself renews. */
export interface RunnerMarks {
  readonly disabled?: RunnerMark | undefined;
  readonly drain?: DrainMark | undefined;
}

/** Why an operator's word keeps a runner from being offered anything, in words that follow its name. */
export function markRefusal({ disabled, drain }: RunnerMarks = {}): string | undefined {
  const mark = disabled ?? drain;
  if (mark === undefined) return undefined;
  const why = mark.reason === undefined ? '' : ` (${mark.reason})`;
  return disabled === undefined ? `is draining${why}` : `is disabled${why}`;
}

/** The status that clients are shown. */
export function runnerStatus(vitals: RunnerVitals): RunnerStatus {
  return vitals.lost || vitals.unheard ? 'offline' : vitals.reported;
}

/** Why nothing may be offered to a runner now, in words that follow its name; undefined when it may. */
export function refusalOf(vitals: RunnerVitals, now: number): string | undefined {
  if (vitals.lost || vitals.unheard) return 'is offline';
  if (vitals.draining) return 'is draining';
  if (vitals.unreachable) return 'cannot be reached at its execute URL';
  if (vitals.reported === 'unhealthy') return 'says that it is unhealthy';
  if (vitals.stalledMs > 0)
    return `does not answer: its main thread is blocked for ${Math.ceil(vitals.stalledMs / 1000)} s`;
  if (vitals.blockedUntil > now) return BLOCK_WORDS[vitals.blockedFor];
  return undefined;
}

/** Whether a runner has been silent for so long that it must be asked. */
export function isSilent(
  lastSeenAt: number,
  now: number,
  beats: { readonly intervalMs: number; readonly missed: number },
): boolean {
  return now - lastSeenAt > beats.intervalMs * beats.missed;
}
