import type { ControlPlaneScript } from '../harness/recording-control-plane.js';
import type { CaseContext, JudgedRunner } from './case.js';
import { must, mustStillAnswer } from './expect.js';
import { NotEvaluable } from './verdict.js';
import { shorten } from './wire-rules.js';

/** How long a runner that beats gets to stumble over the reply of a beat as well. */
const BEAT_MS = 1_500;

/**
 * Ends the case as broken unless a runner takes unusual replies for what they are: it registers once, goes on and
 * still answers.
 * @param sent - what is unusual, in words
 */
export async function mustTakeReplies(
  context: CaseContext,
  script: ControlPlaneScript,
  sent: string,
): Promise<JudgedRunner> {
  const runner = await context.startRunner({ script });
  await runner.controlPlane?.waitFor(({ kind, index }) => kind === 'heartbeat' && index === 1, {
    timeoutMs: BEAT_MS,
    signal: context.signal,
  });
  const end = runner.process?.end();
  must(!end, {
    sent,
    expected: 'a runner that goes on',
    actual: `it ended (${end?.signal ?? `code ${end?.code}`}): ${shorten(runner.process?.output() ?? '')}`,
  });
  await mustStillAnswer(runner.client, sent);
  const registrations = runner.controlPlane?.of('register').length ?? 0;
  if (registrations === 0) throw new NotEvaluable('no registration arrived');
  must(registrations === 1, {
    sent,
    expected: 'a registration that counts as accepted',
    actual: `${registrations} registrations`,
  });
  return runner;
}
