import type { Case, CaseContext, StartOptions } from '../case/case.js';
import {
  contactOf,
  differentEnds,
  mustEnd,
  offerFixture,
  offerSubject,
  registration,
  sayTold,
  startDialled,
  mustBegin,
  type Dialled,
} from '../case/dialled.js';
import { must } from '../case/expect.js';
import { eventually } from '../case/wait.js';
import type { DialInKind } from '../harness/dial-in/dial-in.js';
import { sayFaults } from '../harness/dial-in/link-faults.js';
import { PATIENCE_MS, pause } from '../harness/pause.js';
import type { ControlPlaneScript, RecordedMessage } from '../harness/recording-control-plane.js';
import { seededRandom } from '../inputs/generate-input.js';

/** How long refusals are counted. */
const COUNTED_MS = 4_000;
/** Full jitter from 250 ms makes about six; who does not wait makes hundreds. */
const MOST_ATTEMPTS = 25;
const RETRY_AFTER_SECONDS = 2;
/** Clocks of two processes are not the same. */
const EARLY_MS = 150;

/** Starts a runner whose first contacts are refused for now; that of polls after its registration. */
function startRefused(
  context: CaseContext,
  kind: DialInKind,
  { first, retryAfterSeconds }: { readonly first: number; readonly retryAfterSeconds?: number },
): Promise<Dialled> {
  const contact = contactOf(kind);
  const options: StartOptions = {
    awaitRegistration: false,
    script: {
      answer: (message) =>
        message.kind === contact && message.index < first
          ? { error: 'SHUTTING_DOWN', retryAfterSeconds }
          : undefined,
    },
  };
  return startDialled(context, options);
}

const contactsOf = ({ plane }: Dialled, kind: DialInKind): readonly RecordedMessage[] =>
  plane.of(contactOf(kind));

const backsOff =
  (kind: DialInKind) =>
  async (context: CaseContext): Promise<void> => {
    const dialled = await startRefused(context, kind, { first: Number.POSITIVE_INFINITY });
    const { signal } = context;
    const second = await eventually(() => contactsOf(dialled, kind)[1], { ms: PATIENCE_MS, signal });
    await pause(COUNTED_MS, signal);
    const count = contactsOf(dialled, kind).length;
    must(second && count <= MOST_ATTEMPTS, {
      sent: `503 to every ${contactOf(kind)}`,
      expected: `further attempts, at most ${MOST_ATTEMPTS} in ${COUNTED_MS / 1000} s`,
      actual: `${count} attempts`,
    });
  };

const honoursRetryAfter =
  (kind: DialInKind) =>
  async (context: CaseContext): Promise<void> => {
    const dialled = await startRefused(context, kind, { first: 1, retryAfterSeconds: RETRY_AFTER_SECONDS });
    const { signal } = context;
    const second = await eventually(() => contactsOf(dialled, kind)[1], { ms: PATIENCE_MS, signal });
    const waitedMs = second ? second.at - (contactsOf(dialled, kind)[0]?.at ?? 0) : undefined;
    must(waitedMs !== undefined && waitedMs >= RETRY_AFTER_SECONDS * 1_000 - EARLY_MS, {
      sent: `503 with retryAfter ${RETRY_AFTER_SECONDS} to the first ${contactOf(kind)}`,
      expected: `the next one after ${RETRY_AFTER_SECONDS} s`,
      actual: waitedMs === undefined ? 'none' : `after ${Math.round(waitedMs)} ms`,
    });
  };

/** Refusals after which two runners are compared. */
const COMPARED = 5;

const pausesOf = (messages: readonly RecordedMessage[]): number[] =>
  messages.slice(1, COMPARED).map((message, index) => message.at - (messages[index]?.at ?? 0));

const isAlike = (left: number, right: number): boolean =>
  Math.abs(left - right) < Math.max(60, 0.15 * Math.max(left, right));

const showPauses = (pauses: readonly number[]): string =>
  `${pauses.map((ms) => Math.round(ms)).join(', ')} ms`;

/** The pauses of two runners that are refused at the same time. */
async function pausesOfTwo(context: CaseContext, kind: DialInKind): Promise<readonly [number[], number[]]> {
  const pausesOfOne = async (): Promise<number[]> => {
    const dialled = await startRefused(context, kind, { first: COMPARED });
    const limit = { ms: PATIENCE_MS, signal: context.signal };
    await eventually(() => contactsOf(dialled, kind)[COMPARED - 1], limit);
    return pausesOf(contactsOf(dialled, kind));
  };
  return Promise.all([pausesOfOne(), pausesOfOne()]);
}

/** Chance may make pauses alike, but hardly twice. */
const ROUNDS = 2;

const jitters =
  (kind: DialInKind) =>
  async (context: CaseContext): Promise<void> => {
    let shown = '';
    for (let round = 0; round < ROUNDS; round += 1) {
      const [left, right] = await pausesOfTwo(context, kind);
      const isWhole = left.length === COMPARED - 1 && right.length === COMPARED - 1;
      if (isWhole && left.some((ms, index) => !isAlike(ms, right[index] ?? 0))) return;
      shown = `${showPauses(left)} and ${showPauses(right)}`;
    }
    must(false, {
      sent: `503 to the first ${COMPARED} attempts of two runners`,
      expected: 'pauses that differ',
      actual: shown,
    });
  };

async function drainsOnDirective(context: CaseContext): Promise<void> {
  const dialled = await startDialled(context);
  const running = offerFixture(context, dialled, ['conformance.sleep', { ms: 2_000 }]);
  await mustBegin(dialled, running);
  dialled.dialIn.direct({ kind: 'drain' });
  // It may be on its way still.
  await pause(500, context.signal);
  const late = offerSubject(context, dialled);
  const sent = `the directive drain while ${running.body.executionId} runs`;
  const { event } = await mustEnd(dialled, running);
  must(event.type === 'succeeded', {
    sent,
    expected: 'what runs to be finished',
    actual: sayTold(running),
  });
  const mustLeaveIt = (): void =>
    must(!late.recorded.some((told) => told.event.type === 'succeeded'), {
      sent,
      expected: 'nothing new to be taken',
      actual: sayTold(late),
    });
  mustLeaveIt();
  const left = await dialled.plane.waitFor((message) => message.kind === 'deregister', {
    timeoutMs: PATIENCE_MS,
    signal: context.signal,
  });
  must(left, { sent, expected: 'a runner that deregisters when it is done', actual: 'it stays' });
  mustLeaveIt();
}

const RECONNECT_AFTER_MS = 1_000;

async function reconnectsOnDirective(context: CaseContext): Promise<void> {
  const dialled = await startDialled(context);
  const sentAt = performance.now();
  dialled.dialIn.direct({ kind: 'reconnect', afterMs: RECONNECT_AFTER_MS });
  const again = await registration(dialled, 1);
  const afterMs = again && again.at - sentAt;
  must(afterMs !== undefined && afterMs >= RECONNECT_AFTER_MS - EARLY_MS, {
    sent: `the directive reconnect with afterMs ${RECONNECT_AFTER_MS}`,
    expected: `a registration, not before ${RECONNECT_AFTER_MS} ms`,
    actual: afterMs === undefined ? 'none' : `one after ${Math.round(afterMs)} ms`,
  });
}

const EXECUTIONS = 20;

/** What befalls a runner's link in a run, the same for the same seed. */
function faultsFor(
  kind: DialInKind,
  seed: number,
): { readonly words: string; readonly script: ControlPlaneScript } {
  if (kind === 'websocket') {
    const faults = { drop: 0.06, delay: 0.25, delayMs: 150, duplicate: 0.15, seed };
    return { words: sayFaults(faults), script: { faults } };
  }
  const random = seededRandom(seed);
  const share = 0.15;
  return {
    words: `${share * 100} % of requests lost, and as many answers (seed ${seed})`,
    script: {
      answer: ({ kind: about }) =>
        ['poll', 'accept', 'events'].includes(about) && random() < share ? 'drop' : undefined,
      onEvents: () => (random() < share ? 'withhold' : undefined),
    },
  };
}

const survivesFaults =
  (kind: DialInKind) =>
  async (context: CaseContext): Promise<void> => {
    const { words, script } = faultsFor(kind, context.seed);
    const dialled = await startDialled(context, { script });
    const all = Array.from({ length: EXECUTIONS }, () => offerSubject(context, dialled));
    for (const offered of all) {
      await mustEnd(dialled, offered);
      must(differentEnds(offered) === 1, { sent: words, expected: 'one end', actual: sayTold(offered) });
    }
  };

/** What keeps a link up, for runners that dial in so. */
export const linkCases = (kind: DialInKind): readonly Case[] => [
  { id: `${kind}.backs-off`, judge: backsOff(kind) },
  { id: `${kind}.honours-retry-after`, judge: honoursRetryAfter(kind) },
  { id: `${kind}.jitters`, leastMs: 15_000, judge: jitters(kind) },
  { id: `${kind}.drains-on-directive`, judge: drainsOnDirective },
  { id: `${kind}.reconnects-on-directive`, judge: reconnectsOnDirective },
  { id: `${kind}.survives-faults`, leastMs: 15_000, judge: survivesFaults(kind) },
];
