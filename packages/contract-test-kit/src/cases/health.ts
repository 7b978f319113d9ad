import { HealthCheck, Probe, RunnerHealth } from '@controlplane/contracts';
import type { Case, CaseContext } from '../case/case.js';
import { must, mustReply } from '../case/expect.js';
import { NotEvaluable } from '../case/verdict.js';
import { within } from '../case/wait.js';
import { showReply } from '../case/wire-rules.js';
import { pause } from '../harness/pause.js';
import type { Exchange } from '../harness/exchange.js';
import { newExecution } from '../harness/runner-client.js';

const BUSY_MS = 1_500;
const PROMPT_MS = 1_000;

const askHealth = ({ runner }: CaseContext): Promise<Exchange> =>
  runner.client.send({ method: 'GET', url: runner.urls.health });

async function answers(context: CaseContext): Promise<void> {
  const health = await askHealth(context);
  mustReply(
    RunnerHealth.safeParse(health.json).success,
    'JSON with status healthy, degraded, unhealthy or unknown',
    health,
  );
}

async function statusCodeAgrees(context: CaseContext): Promise<void> {
  const health = await askHealth(context);
  const parsed = RunnerHealth.safeParse(health.json);
  mustReply(parsed.success, 'a status', health);
  const expected = parsed.data.status === 'healthy' ? 200 : 503;
  mustReply(health.status === expected, `${expected} for the status ${parsed.data.status}`, health);
}

async function complete(context: CaseContext): Promise<void> {
  const health = await askHealth(context);
  const parsed = HealthCheck.safeParse(health.json);
  const faults = parsed.success
    ? []
    : parsed.error.issues.map((issue) => `${issue.path.join('.') || '(body)'}: ${issue.message}`);
  mustReply(parsed.success, `a HealthCheck (${faults.slice(0, 3).join('; ')})`, health);
}

async function probes({ runner, signal }: CaseContext): Promise<void> {
  const live = await runner.client.get('livez');
  mustReply(live.status === 200 && Probe.safeParse(live.json).success, '200 and a Probe', live);
  let ready = await runner.client.get('readyz');
  // Readiness may follow the registration by a moment.
  for (let tries = 0; ready.status === 503 && tries < 20; tries += 1) {
    await pause(100, signal);
    ready = await runner.client.get('readyz');
  }
  const probe = Probe.safeParse(ready.json);
  mustReply(ready.status === 200 && probe.success && probe.data.ok, '200 and ok=true', ready);
}

async function answersWhileWorking(context: CaseContext): Promise<void> {
  const { id } = context.fixture('conformance.sleep');
  const running = context.runner.client.execute(newExecution(id, { ms: BUSY_MS }));
  const early = await within(running, { ms: 100, signal: context.signal });
  if (early)
    throw new NotEvaluable(`${id} ended at once instead of after ${BUSY_MS} ms: ${showReply(early)}`);
  const health = await askHealth(context);
  await running;
  must(health.durationMs < PROMPT_MS, {
    expected: `an answer within ${PROMPT_MS} ms while an execution of ${BUSY_MS} ms runs`,
    actual: `${Math.round(health.durationMs)} ms`,
    exchange: health,
  });
}

export const healthCases: readonly Case[] = [
  { id: 'health.answers', judge: answers },
  { id: 'health.status-code-agrees', judge: statusCodeAgrees },
  { id: 'health.complete', judge: complete },
  { id: 'health.probes', judge: probes },
  { id: 'health.answers-while-working', alone: true, judge: answersWhileWorking },
];
