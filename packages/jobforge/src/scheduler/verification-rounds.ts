import { CLOSE_CODES } from '@controlplane/contracts';
import type { LinkRegistry } from '../links/link-registry.js';
import { isStaying } from './runner-entry.js';
import type { RunnerEntry } from './live-job.js';
import type { LiveState } from './live-state.js';
import type { RunnerRegistry } from './runner-registry.js';
import { verifyRunner } from './runner-verification.js';

/** What rounds of verification look at. */
export interface VerificationParts {
  readonly state: LiveState;
  readonly registry: Pick<RunnerRegistry, 'entries'>;
  readonly links: Pick<LinkRegistry, 'session'>;
}

/** One whose main thread is blocked cannot answer, and is known to be there. */
const canBeAsked = (entry: RunnerEntry): boolean =>
  entry.connected && isStaying(entry) && entry.vitals.stalledMs === 0;

/** Has a runner that beats and cannot be given work connect anew; one that is connected to is only told of. */
async function verify({ state, links }: VerificationParts, entry: RunnerEntry): Promise<void> {
  const connection = links.session(entry.link)?.connection();
  const { steps } = await verifyRunner(state, entry);
  const last = steps.at(-1);
  // That it is gone, or does not answer at all, is seen without it.
  if (state.closed || last === undefined || last.ok || last.name !== 'execution') return;
  const about = { runner: entry.name, message: last.message };
  state.log('warn', 'a runner beats, and an execution does not come through to it', about);
  connection?.close(CLOSE_CODES.silent, 'An execution did not come through.');
}

/** Verifies every runner each `verifyIntervalMs`, where that is not 0: one that is listed and gets nothing is found. */
export function startVerificationRounds(parts: VerificationParts): void {
  const { state, registry } = parts;
  const { verifyIntervalMs } = state.limits;
  if (verifyIntervalMs === 0) return;
  const round = async (): Promise<void> => {
    const asked = [...registry.entries()].filter(canBeAsked);
    await Promise.all(asked.map((entry) => verify(parts, entry)));
    later();
  };
  const later = (): void => state.agenda.add(state.clock.now() + verifyIntervalMs, () => void round());
  later();
}
