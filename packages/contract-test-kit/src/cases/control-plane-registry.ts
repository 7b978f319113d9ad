import {
  ErrorEnvelope,
  HealthCheck,
  RunnerMetadata,
  RunnerRegistrationResponse,
  WEBSOCKET_PROTOCOL,
} from '@controlplane/contracts';
import { memberOf, must, mustReply } from '../case/expect.js';
import type { PlaneCase, PlaneContext } from '../case/plane-case.js';
import { NotApplicable } from '../case/verdict.js';
import type { Exchange } from '../harness/exchange.js';
import { dialPlane, type PlayedSocket } from '../harness/played/played-socket.js';
import { NOBODY } from '../harness/played/plane-client.js';
import { playedRegistration } from '../harness/played/played-runner.js';

const JSON_TYPE = { 'content-type': 'application/json' };

const errorIn = (exchange: Exchange) => ErrorEnvelope.safeParse(memberOf(exchange.json, 'error')).data;

async function register(
  context: PlaneContext,
  registration: Readonly<Record<string, unknown>>,
): Promise<Exchange> {
  const { capability: _own, ...body } = registration;
  return context.ask('POST', '/runners/register', { body, as: await context.enrollment() });
}

async function registersRunners(context: PlaneContext): Promise<void> {
  const exchange = await register(context, playedRegistration('long-poll'));
  mustReply(
    exchange.status === 200 && RunnerRegistrationResponse.safeParse(exchange.json).success,
    '200 and a RunnerRegistrationResponse',
    exchange,
  );
  const cadence = memberOf(exchange.json, 'heartbeatIntervalMs');
  mustReply(typeof cadence === 'number' && cadence > 0, 'a heartbeatIntervalMs', exchange);
}

async function keepsRunnerId(context: PlaneContext): Promise<void> {
  const as = await context.enrollment();
  const { capability: _own, ...body } = playedRegistration('long-poll');
  const idOf = async (changes: object): Promise<unknown> => {
    const reply = await context.ask('POST', '/runners/register', { body: { ...body, ...changes }, as });
    return memberOf(reply.json, 'runnerId');
  };
  const first = await idOf({});
  const again = await idOf({ instanceId: `${String(body['instanceId'])}-2` });
  must(typeof first === 'string' && first === again, {
    sent: 'the registration of one name and machine, by two processes after one another',
    expected: 'the same runnerId',
    actual: `${String(first)} and ${String(again)}`,
  });
}

async function answersHeartbeats(context: PlaneContext): Promise<void> {
  const runner = await context.runner('long-poll');
  const body = { runnerId: runner.runnerId, timestamp: new Date().toISOString(), status: 'healthy' };
  const exchange = await context.ask('POST', '/runners/heartbeat', {
    body: { ...body, instanceId: runner.registration['instanceId'] },
    as: runner.credential,
  });
  mustReply(exchange.status === 200 && memberOf(exchange.json, 'known') === true, 'known=true', exchange);
}

async function tellsUnknownRunners(context: PlaneContext): Promise<void> {
  // A runner that is known by its credential is known whatever it calls itself: this one has registered nobody.
  const as = await context.enrollment();
  const body = { runnerId: 'kit-nobody', timestamp: new Date().toISOString(), status: 'healthy' };
  const exchange = await context.ask('POST', '/runners/heartbeat', { body, as });
  const isTold = memberOf(exchange.json, 'known') === false || exchange.status >= 400;
  mustReply(isTold, 'known=false, or a refusal', exchange);
}

async function refusesOtherMajor(context: PlaneContext): Promise<void> {
  const contractVersion = { major: 2, minor: 0, patch: 0 };
  const exchange = await register(context, playedRegistration('long-poll', { contractVersion }));
  const error = errorIn(exchange);
  mustReply(
    exchange.status === 409 && error?.code === 'CONTRACT_MISMATCH' && !error.retryable,
    '409 CONTRACT_MISMATCH, not retryable',
    exchange,
  );
}

async function toleratesUnknown(context: PlaneContext): Promise<void> {
  const exchange = await register(
    context,
    playedRegistration('long-poll', { kitFutureMember: { nested: [1] } }),
  );
  mustReply(exchange.status === 200, '200, as without the unknown member', exchange);
}

async function rejectsMalformed(context: PlaneContext): Promise<void> {
  const exchange = await context.ask('POST', '/jobs', { text: '{"type": "half', headers: JSON_TYPE });
  mustReply(exchange.status === 400 && errorIn(exchange), '400 and an ErrorEnvelope', exchange);
}

async function unknownRoute(context: PlaneContext): Promise<void> {
  const exchange = await context.ask('GET', '/kit-no-such-path');
  mustReply(exchange.status === 404 && errorIn(exchange), '404 and an ErrorEnvelope', exchange);
}

async function answersHealth(context: PlaneContext): Promise<void> {
  const exchange = await context.ask('GET', '/health', { as: NOBODY });
  const health = HealthCheck.safeParse(exchange.json).data;
  const agrees = (exchange.status === 200) === (health?.status === 'healthy');
  mustReply(health && agrees, 'a HealthCheck, with 200 when healthy', exchange);
}

async function listsRunners(context: PlaneContext): Promise<void> {
  const { runnerId, capability } = await context.runner('long-poll');
  const exchange = await context.ask('GET', `/runners/${runnerId}`);
  const shown = RunnerMetadata.safeParse(exchange.json).data;
  mustReply(
    shown?.capabilities.some(({ id }) => id === capability),
    `a RunnerMetadata with the capability ${capability}`,
    exchange,
  );
}

async function refusesUnauthorized(context: PlaneContext): Promise<void> {
  if (context.token === undefined) throw new NotApplicable('no --token: nobody is asked for a credential');
  const exchange = await context.ask('GET', '/jobs', { as: NOBODY });
  mustReply(exchange.status === 401 && errorIn(exchange), '401 and an ErrorEnvelope', exchange);
}

async function mustDial(context: PlaneContext): Promise<PlayedSocket> {
  const link = await dialPlane({ ...context }, await context.enrollment());
  must(link, { sent: 'GET /runners/connect', expected: 'a WebSocket', actual: 'a refusal' });
  return link;
}

async function speaksSubprotocol(context: PlaneContext): Promise<void> {
  const { socket } = await mustDial(context);
  const { protocol } = socket;
  socket.terminate();
  must(protocol === WEBSOCKET_PROTOCOL, {
    sent: `GET /runners/connect with the subprotocol ${WEBSOCKET_PROTOCOL}`,
    expected: 'it, chosen in the answer',
    actual: protocol === '' ? 'none' : protocol,
  });
}

async function refusesInWords(context: PlaneContext): Promise<void> {
  const link = await mustDial(context);
  const { capability: _own, ...registration } = playedRegistration('websocket', {
    contractVersion: { major: 2, minor: 0, patch: 0 },
  });
  link.socket.send(JSON.stringify({ type: 'register', registration }));
  const answer = await link.take(({ type }) => type === 'refused' || type === 'ready');
  link.socket.terminate();
  const error = ErrorEnvelope.safeParse(answer?.['error']).data;
  must(error?.code === 'CONTRACT_MISMATCH', {
    sent: 'register with a contractVersion of major 2',
    expected: 'a refused frame with CONTRACT_MISMATCH',
    actual: answer ? JSON.stringify(answer).slice(0, 200) : 'nothing',
  });
}

export const planeRegistryCases: readonly PlaneCase[] = [
  { id: 'control-plane.registers-runners', judge: registersRunners },
  { id: 'control-plane.keeps-runner-id', judge: keepsRunnerId },
  { id: 'control-plane.answers-heartbeats', judge: answersHeartbeats },
  { id: 'control-plane.tells-unknown-runners', judge: tellsUnknownRunners },
  { id: 'control-plane.refuses-other-major', judge: refusesOtherMajor },
  { id: 'control-plane.tolerates-unknown', judge: toleratesUnknown },
  { id: 'control-plane.rejects-malformed', judge: rejectsMalformed },
  { id: 'control-plane.unknown-route', judge: unknownRoute },
  { id: 'control-plane.answers-health', judge: answersHealth },
  { id: 'control-plane.lists-runners', judge: listsRunners },
  { id: 'control-plane.refuses-unauthorized', judge: refusesUnauthorized },
  { id: 'control-plane.speaks-subprotocol', judge: speaksSubprotocol },
  { id: 'control-plane.refuses-in-words', judge: refusesInWords },
];
