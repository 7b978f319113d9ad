/**
 * @module
 * The cases, a file for each concern. Each judges one requirement by its id; levels and words are in
 * requirements. A case imports case, harness and inputs, and no other case.
 */
import {
  CONTRACT_VERSION_CURRENT,
  RunnerCapability,
  RunnerManifest,
  RunnerRegistrationRequest,
} from '@controlplane/contracts';
import type { Case, CaseContext } from '../case/case.js';
import { must, mustReply, memberOf } from '../case/expect.js';
import { mustTakeReplies } from '../case/goes-on.js';
import { NotEvaluable } from '../case/verdict.js';
import { pause } from '../harness/pause.js';
import { shorten } from '../case/wire-rules.js';
import type { RecordedMessage } from '../harness/recorded-message.js';
import type { RecordingControlPlane } from '../harness/recording-control-plane.js';
import { schemaFault } from '../inputs/json-schema-check.js';

const RETRY_WAIT_MS = 6_000;
/** A runner that goes on asking does so within this. */
const SILENCE_MS = 2_500;

function planeOf({ runner }: Pick<CaseContext, 'runner'>): RecordingControlPlane {
  if (!runner.controlPlane) throw new NotEvaluable('the runner was not given the control plane of the kit');
  return runner.controlPlane;
}

function registers(context: CaseContext): void {
  const plane = planeOf(context);
  const others = plane.messages.map(({ method, path }) => `${method} ${path}`);
  must(plane.of('register').length > 0, {
    sent: `JOBFORGE_URL=${plane.url} in the environment`,
    expected: 'POST /runners/register',
    actual: others.length === 0 ? 'no request at all' : [...new Set(others)].slice(0, 5).join(', '),
  });
}

function validMessage(context: CaseContext): void {
  const [message] = planeOf(context).of('register');
  if (!message) throw new NotEvaluable('no registration arrived');
  must(message.issues.length === 0, {
    sent: shorten(message.text),
    expected: 'a RunnerRegistrationRequest',
    actual: message.issues.slice(0, 5).join('; '),
  });
  const { contractVersion } = RunnerRegistrationRequest.parse(message.json);
  must(contractVersion.major === CONTRACT_VERSION_CURRENT.major, {
    sent: shorten(message.text),
    expected: `a contractVersion of major ${CONTRACT_VERSION_CURRENT.major}`,
    actual: `major ${contractVersion.major}`,
  });
}

/** The capabilities as the runner wrote them: also those that its own schema would refuse. */
async function declaredCapabilities({ runner }: CaseContext): Promise<{ list: unknown; from: string }> {
  const registered = runner.controlPlane?.of('register').at(-1);
  if (registered) return { list: memberOf(registered.json, 'capabilities'), from: shorten(registered.text) };
  const manifest = await runner.client.get('manifest');
  if (!RunnerManifest.safeParse(manifest.json).success)
    throw new NotEvaluable('neither a registration nor a manifest could be read');
  return { list: memberOf(manifest.json, 'capabilities'), from: 'GET /manifest' };
}

async function declaresCapabilities(context: CaseContext): Promise<void> {
  const { list, from: sent } = await declaredCapabilities(context);
  must(Array.isArray(list) && list.length > 0, {
    sent,
    expected: 'at least one capability',
    actual: shorten(JSON.stringify(list) ?? 'no member capabilities'),
  });
  const ids = new Set<string>();
  for (const entry of list as unknown[]) {
    const capability = RunnerCapability.safeParse(entry);
    must(capability.success, {
      sent,
      expected: 'every capability a RunnerCapability',
      actual: shorten(JSON.stringify(entry)),
    });
    const { id, inputSchema, outputSchema } = capability.data;
    must(!ids.has(id), { sent, expected: 'unique capability ids', actual: `${id} twice` });
    ids.add(id);
    const fault = schemaFault(inputSchema) ?? schemaFault(outputSchema);
    must(fault === undefined, { sent, expected: `valid JSON Schemas for ${id}`, actual: fault ?? '' });
  }
}

function healthUrl({ json, text }: RecordedMessage): string {
  const named = memberOf(json, 'healthCheckEndpoint');
  const url = typeof named === 'string' && URL.canParse(named) ? new URL(named) : undefined;
  must(url && /^https?:$/.test(url.protocol), {
    sent: shorten(text),
    expected: 'healthCheckEndpoint, an http or https URL',
    actual: shorten(String(named)),
  });
  return url.href;
}

async function reachableHealth(context: CaseContext): Promise<void> {
  const message = planeOf(context).of('register').at(-1);
  if (!message) throw new NotEvaluable('no registration arrived');
  const health = await context.runner.client.send({ method: 'GET', url: healthUrl(message) });
  mustReply(health.status === 200 || health.status === 503, '200 or 503', health);
}

async function retriesWhenUnavailable(context: CaseContext): Promise<void> {
  const { controlPlane } = await context.startRunner({
    awaitRegistration: false,
    script: {
      answer: ({ kind, index }) =>
        kind !== 'register' || index > 1 ? undefined : index === 0 ? { error: 'SHUTTING_DOWN' } : 'drop',
    },
  });
  const third = await controlPlane?.waitFor(({ kind, index }) => kind === 'register' && index === 2, {
    timeoutMs: RETRY_WAIT_MS,
    signal: context.signal,
  });
  must(third, {
    sent: '503 to the first registration, a closed connection to the second',
    expected: `a third registration within ${RETRY_WAIT_MS / 1000} s`,
    actual: `${controlPlane?.of('register').length ?? 0} registrations`,
  });
}

async function stopsWhenRefused(context: CaseContext): Promise<void> {
  const { controlPlane } = await context.startRunner({
    awaitRegistration: false,
    mayEnd: true,
    script: { answer: ({ kind }) => (kind === 'register' ? { error: 'CONTRACT_MISMATCH' } : undefined) },
  });
  const first = await controlPlane?.waitFor(({ kind }) => kind === 'register', {
    timeoutMs: 5_000,
    signal: context.signal,
  });
  if (!first) throw new NotEvaluable('no registration arrived');
  await pause(SILENCE_MS, context.signal);
  const count = controlPlane?.of('register').length ?? 0;
  must(count === 1, {
    sent: '409 CONTRACT_MISMATCH to the registration',
    expected: 'no further registration',
    actual: `${count} registrations within ${SILENCE_MS / 1000} s`,
  });
}

async function toleratesUnknownFields(context: CaseContext): Promise<void> {
  const future = { kitFutureMember: { nested: [1, 'two', null] }, kitFutureText: 'ignore me' };
  const answer = ({ kind }: RecordedMessage) =>
    kind === 'other'
      ? undefined
      : { members: kind === 'heartbeat' ? { ...future, directives: [{ kind: 'kit.future' }] } : future };
  const sent = 'replies with the members kitFutureMember and kitFutureText, and the directive kit.future';
  await mustTakeReplies(context, { answer }, sent);
}

export const registrationCases: readonly Case[] = [
  { id: 'registration.registers', judge: registers },
  { id: 'registration.valid-message', judge: validMessage },
  { id: 'registration.declares-capabilities', judge: declaresCapabilities },
  { id: 'registration.reachable-health', judge: reachableHealth },
  { id: 'registration.retries-when-unavailable', judge: retriesWhenUnavailable },
  { id: 'registration.stops-when-refused', judge: stopsWhenRefused },
  { id: 'registration.tolerates-unknown-fields', judge: toleratesUnknownFields },
];
