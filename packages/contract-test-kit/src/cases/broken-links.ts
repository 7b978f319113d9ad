import type { Case, CaseContext } from '../case/case.js';
import { must, mustReply } from '../case/expect.js';
import { pause } from '../harness/pause.js';
import { openRawConnection, requestHead, statusesIn, type RawConnection } from '../harness/raw-connection.js';
import { newExecution } from '../harness/runner-client.js';

/** How long a runner may take to fall over what it was sent. */
const FALL_MS = 150;
const SLOW_SENDERS = 32;

/** The runner must answer health and do its work after what was done to it. */
async function mustGoOn(context: CaseContext, sent: string): Promise<void> {
  await pause(FALL_MS, context.signal);
  const { client } = context.runner;
  const health = await client.send({ method: 'GET', url: client.urls.health });
  mustReply(health.status === 200 || health.status === 503, `health answers after ${sent}`, health);
  const { capability, input } = context.subject();
  const exchange = await client.execute(newExecution(capability.id, input));
  mustReply(exchange.reply, `a RunnerExecutionResponse after ${sent}`, exchange);
}

const connect = ({ runner, signal }: CaseContext): Promise<RawConnection> =>
  openRawConnection(runner.client.urls.execute, signal);

/** A case that does something to a connection, and then looks whether the runner goes on. */
const after = (
  id: string,
  sent: string,
  deed: (connection: RawConnection, context: CaseContext) => Promise<void> | void,
): Case => ({
  id,
  judge: async (context) => {
    const connection = await connect(context);
    await deed(connection, context);
    connection.destroy();
    await mustGoOn(context, sent);
  },
});

function subjectText(context: CaseContext): string {
  const { capability, input } = context.subject();
  return JSON.stringify(newExecution(capability.id, input));
}

const executeHead = ({ runner }: CaseContext, length: number): string =>
  requestHead('POST', runner.client.urls.execute, {
    'content-type': 'application/json',
    'content-length': String(length),
  });

/** Work whose reply takes its time, where the runner offers it; else what there is. */
function slowText(context: CaseContext): string {
  const sleeps = context.runner.description.capabilities.some(({ id }) => id === 'conformance.sleep');
  return sleeps ? JSON.stringify(newExecution('conformance.sleep', { ms: 300 })) : subjectText(context);
}

async function oversizedHead(context: CaseContext): Promise<void> {
  const connection = await connect(context);
  connection.write(
    requestHead('GET', context.runner.client.urls.health, { 'x-kit': 'x'.repeat(256 * 1024) }),
  );
  await connection.until((text) => statusesIn(text).length > 0, 2_000);
  connection.destroy();
  await mustGoOn(context, 'a head of 256 KB');
}

async function slowSenders(context: CaseContext): Promise<void> {
  const senders = await Promise.all(Array.from({ length: SLOW_SENDERS }, () => connect(context)));
  for (const sender of senders) sender.write(`${executeHead(context, 1_000)}{"jobId"`);
  await pause(FALL_MS, context.signal);
  const { client } = context.runner;
  const health = await client.send({ method: 'GET', url: client.urls.health });
  for (const sender of senders) sender.destroy();
  must(health.durationMs < 5_000, {
    expected: `an answer within 5 s while ${SLOW_SENDERS} connections send half of their request`,
    actual: `${Math.round(health.durationMs)} ms`,
    exchange: health,
  });
}

export const brokenLinkCases: readonly Case[] = [
  after('resilience.link-dropped-in-the-head', 'half a head', async (connection, context) => {
    connection.write('POST /execute HT');
    await pause(20, context.signal);
  }),
  after('resilience.link-dropped-in-the-body', 'half a body', async (connection, context) => {
    connection.write(`${executeHead(context, 1_000)}{"jobId":"half`);
    await pause(20, context.signal);
  }),
  after('resilience.link-dropped-before-the-reply', 'a closed connection', async (connection, context) => {
    const text = slowText(context);
    connection.write(executeHead(context, Buffer.byteLength(text)) + text);
    await pause(100, context.signal);
  }),
  after('resilience.survives-garbage', 'bytes that are no HTTP', async (connection) => {
    connection.write('\u0000\u0001\u0002 this is no HTTP\r\n\r\n');
    await connection.until((text) => text.length > 0, 1_000);
  }),
  { id: 'resilience.survives-oversized-head', judge: oversizedHead },
  { id: 'resilience.slow-senders', alone: true, judge: slowSenders },
];
