import { DEFAULTS } from '@controlplane/contracts';
import type { Case, CaseContext } from '../case/case.js';
import {
  differentEnds,
  endsOf,
  mustBegin,
  mustEnd,
  offerBody,
  offerFixture,
  offerSubject,
  registration,
  sayOffer,
  sayTold,
  sharedDialled,
  startDialled,
  type Dialled,
} from '../case/dialled.js';
import { memberOf, must } from '../case/expect.js';
import { eventually } from '../case/wait.js';
import type { DialInKind } from '../harness/dial-in/dial-in.js';
import type { Offered, Verdict } from '../harness/dial-in/offer-book.js';
import { PATIENCE_MS, pause } from '../harness/pause.js';

/** A runner that does what it must not has done it within this. */
const SILENCE_MS = 1_500;

async function acceptsInTime(context: CaseContext): Promise<void> {
  const dialled = sharedDialled(context);
  const offered = offerSubject(context, dialled);
  await mustEnd(dialled, offered);
  const [handed = 0] = offered.handedAt;
  const [accepted] = offered.acceptedAt;
  must(accepted !== undefined && accepted - handed < DEFAULTS.offerMs, {
    sent: sayOffer(offered),
    expected: `a claim within ${DEFAULTS.offerMs} ms`,
    actual: accepted === undefined ? 'none' : `after ${Math.round(accepted - handed)} ms`,
  });
}

/** Offers an execution whose claim is answered so, and looks for events of it. */
async function runsOnlyWhenConfirmed(
  context: CaseContext,
  { verdict, answered }: { readonly verdict: Verdict; readonly answered: string },
): Promise<void> {
  const dialled = await startDialled(context, { script: { onAccept: () => verdict } });
  const offered = offerSubject(context, dialled);
  const claimed = await eventually(() => offered.acceptedAt.length > 0, {
    ms: PATIENCE_MS,
    signal: context.signal,
  });
  must(claimed, { sent: sayOffer(offered), expected: 'a claim', actual: 'none' });
  await pause(SILENCE_MS, context.signal);
  must(offered.told.length === 0, {
    sent: `${sayOffer(offered)}, its claim ${answered}`,
    expected: 'nothing more of it',
    actual: sayTold(offered),
  });
}

const waitsForConfirmation = (context: CaseContext): Promise<void> =>
  runsOnlyWhenConfirmed(context, { verdict: 'withhold', answered: 'not answered' });

const leavesDenied = (context: CaseContext): Promise<void> =>
  runsOnlyWhenConfirmed(context, { verdict: 'LEASE_SUPERSEDED', answered: 'answered LEASE_SUPERSEDED' });

async function runsRepeatedOfferOnce(context: CaseContext): Promise<void> {
  const dialled = sharedDialled(context);
  const offered = offerFixture(context, dialled, ['conformance.sleep', { ms: 700 }]);
  await mustBegin(dialled, offered);
  offerBody(dialled, offered.body);
  await mustEnd(dialled, offered);
  await pause(SILENCE_MS, context.signal);
  must(differentEnds(offered) === 1, {
    sent: `${sayOffer(offered)}, twice while it runs`,
    expected: 'one run, with one end',
    actual: sayTold(offered),
  });
}

/** Makes a runner that goes on register again: by a broken socket, or by a poll that is not taken. */
async function renew(kind: DialInKind, dialled: Dialled): Promise<readonly unknown[]> {
  const before = dialled.plane.of('register').length;
  if (kind === 'websocket') dialled.dialIn.cut();
  else dialled.dialIn.direct({ kind: 'register' });
  const again = await registration(dialled, before);
  must(again, {
    sent: kind === 'websocket' ? 'a broken connection' : 'the directive register',
    expected: 'a registration',
    actual: 'none',
  });
  const held = memberOf(again.json, 'held');
  return Array.isArray(held) ? held : [];
}

const tellsHeld =
  (kind: DialInKind) =>
  async (context: CaseContext): Promise<void> => {
    const dialled = await startDialled(context);
    const offered = offerFixture(context, dialled, ['conformance.sleep', { ms: 4_000 }]);
    await mustBegin(dialled, offered);
    const held = (await renew(kind, dialled)) ?? [];
    must(held.includes(offered.body.executionId), {
      sent: `a reason to register again while ${offered.body.executionId} runs`,
      expected: 'its id in `held` of the registration',
      actual: JSON.stringify(held),
    });
  };

const forgetsAcknowledged =
  (kind: DialInKind) =>
  async (context: CaseContext): Promise<void> => {
    const dialled = await startDialled(context);
    const offered = offerSubject(context, dialled);
    await mustEnd(dialled, offered);
    // The answer to its end is on its way.
    await pause(300, context.signal);
    const held = (await renew(kind, dialled)) ?? [];
    await pause(SILENCE_MS, context.signal);
    const isForgotten = !held.includes(offered.body.executionId) && endsOf(offered).length === 1;
    must(isForgotten, {
      sent: `a reason to register again after the end of ${offered.body.executionId} was acknowledged`,
      expected: 'nothing more of it',
      actual: `held ${JSON.stringify(held)}; ${sayTold(offered)}`,
    });
  };

async function resendsUntilAcknowledged(context: CaseContext): Promise<void> {
  let cut: () => void = () => {};
  let cutSoon: NodeJS.Timeout | undefined;
  // What came before the end, perhaps long before, is acknowledged: it is the end that must come again.
  const onEvents = (offered: Offered): Verdict => {
    if (endsOf(offered).length !== 1) return undefined;
    cutSoon ??= setTimeout(() => cut(), 50);
    return 'withhold';
  };
  const dialled = await startDialled(context, { script: { onEvents } });
  cut = () => dialled.dialIn.cut();
  const offered = offerSubject(context, dialled);
  const again = await eventually(() => endsOf(offered).length > 1, {
    ms: PATIENCE_MS,
    signal: context.signal,
  });
  must(again && differentEnds(offered) === 1, {
    sent: `no answer to the end of ${offered.body.executionId}, and a broken connection`,
    expected: 'the same end told again',
    actual: sayTold(offered),
  });
}

async function forgetsSuperseded(context: CaseContext): Promise<void> {
  // Not before: an execution whose log is refused is given up, and rightly has no end.
  const onEvents = (offered: Offered): Verdict =>
    endsOf(offered).length > 0 ? 'LEASE_SUPERSEDED' : undefined;
  const dialled = await startDialled(context, { script: { onEvents } });
  const offered = offerSubject(context, dialled);
  await mustEnd(dialled, offered);
  const before = endsOf(offered).length;
  await pause(SILENCE_MS, context.signal);
  must(endsOf(offered).length === before, {
    sent: `LEASE_SUPERSEDED to the end of ${offered.body.executionId}`,
    expected: 'an end that is not told again',
    actual: sayTold(offered),
  });
}

async function survivesLostConnection(context: CaseContext): Promise<void> {
  const dialled = await startDialled(context);
  const offered = offerFixture(context, dialled, ['conformance.sleep', { ms: 1_000 }]);
  await mustBegin(dialled, offered);
  dialled.dialIn.cut();
  const { event } = await mustEnd(dialled, offered);
  must(event.type === 'succeeded', {
    sent: `a broken connection while ${offered.body.executionId} runs`,
    expected: 'succeeded, over the next one',
    actual: sayTold(offered),
  });
}

/** What is handed over, for runners that dial in so. */
export const handoverCases = (kind: DialInKind): readonly Case[] => [
  { id: `${kind}.accepts-in-time`, judge: acceptsInTime },
  { id: `${kind}.waits-for-confirmation`, judge: waitsForConfirmation },
  { id: `${kind}.leaves-denied-executions`, judge: leavesDenied },
  { id: `${kind}.runs-repeated-offer-once`, judge: runsRepeatedOfferOnce },
  { id: `${kind}.tells-held-executions`, judge: tellsHeld(kind) },
  { id: `${kind}.forgets-acknowledged`, judge: forgetsAcknowledged(kind) },
  { id: `${kind}.resends-until-acknowledged`, judge: resendsUntilAcknowledged },
  { id: `${kind}.forgets-superseded`, judge: forgetsSuperseded },
  { id: `${kind}.survives-lost-connection`, judge: survivesLostConnection },
];
