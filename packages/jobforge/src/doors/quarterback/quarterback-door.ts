import type { IncomingMessage } from 'node:http';
import {
  CONTRACT_VERSION_CURRENT,
  RunnerRegistrationRequest,
  type ErrorEnvelope,
} from '@controlplane/contracts';
import {
  QUARTERBACK_HEADERS,
  QUARTERBACK_LOG_BYTES,
  QUARTERBACK_PATHS,
  QuarterbackHeartbeat,
  QuarterbackLogs,
  QuarterbackRegistration,
  QuarterbackStatusUpdate,
  type QuarterbackNode,
  type QuarterbackRegistered,
} from '@controlplane/contracts/quarterback';
import type { z } from 'zod';
import { CallerGone, readJson } from '../../api/body-reader.js';
import { JobForgeError } from '../../model/job-forge-error.js';
import { asIdentifier } from '../as-identifier.js';
import type { Door, DoorEndpoint, DoorExchange, DoorParts, DoorReply } from '../door.js';
import { knownRunner } from '../known-runner.js';
import { createQuarterbackNodes, type Known, type QuarterbackNodes } from './quarterback-nodes.js';
import { TASK_CAPABILITY } from './task.js';

/** Below this the calls are served too, and files alone: `/files` is JobForge's own. */
const BASE = '/quarterback';

/** Bytes of a registration. */
const MAX_REGISTRATION_BYTES = 64 * 1024;

interface Parts extends DoorParts {
  readonly nodes: QuarterbackNodes;
}

function statusOf({ code }: ErrorEnvelope): number {
  if (/^(CREDENTIAL|TOKEN|ROLE|MACHINE|RUNNER_NOT_FOUND)/.test(code)) return 401;
  if (code === 'AUTH_RATE_LIMITED') return 429;
  if (code === 'RUNNER_MISMATCH') return 403;
  if (code === 'PAYLOAD_TOO_LARGE') return 413;
  if (/^(VALIDATION|INVALID|UNSUPPORTED)/.test(code)) return 422;
  return code === 'FILE_NOT_FOUND' ? 404 : 503;
}

const header = ({ headers }: IncomingMessage, name: string): string | undefined => {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
};

async function bodyAs<Schema extends z.ZodType>(
  schema: Schema,
  request: IncomingMessage,
  maxBytes?: number,
): Promise<z.output<Schema>> {
  const read = schema.safeParse(await readJson(request, maxBytes));
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new JobForgeError('VALIDATION_ERROR', { message: `${issue?.path.join('.')}: ${issue?.message}` });
}

/** Who asks; of whom JobForge asks nobody for a credential, whoever its key names. */
async function known(parts: Parts, { request, address }: DoorExchange): Promise<Known> {
  const { gate } = parts;
  const key = header(request, QUARTERBACK_HEADERS.apiKey);
  const caller = await gate.identify(key, address);
  if (caller.kind !== 'runner' && caller.kind !== 'anyone') throw new JobForgeError('ROLE_REQUIRED');
  const named = key?.slice(0, Math.max(0, key.lastIndexOf('.'))) ?? '';
  const metadata = await knownRunner(parts, caller.kind === 'runner' ? caller.runnerId : named);
  // Of one that was away until it was forgotten, these calls do not say what it is: it registers anew.
  if (metadata === undefined) throw new JobForgeError('CREDENTIAL_INVALID');
  return { caller, metadata };
}

function nodeOf({ metadata }: Known, more: Partial<QuarterbackNode> = {}): QuarterbackNode {
  const { id, name, registeredAt, lastHeartbeatAt, platform } = metadata;
  return {
    ...{ id, name, hostname: name, os_type: platform?.os ?? null, status: 'idle' },
    ...{ last_heartbeat: lastHeartbeatAt, registered_at: registeredAt, current_task_id: null },
    ...more,
  };
}

async function register(parts: Parts, { request, address }: DoorExchange): Promise<DoorReply> {
  const { gate, operations } = parts;
  const caller = await gate.identify(header(request, QUARTERBACK_HEADERS.registrationToken), address);
  if (caller.kind !== 'enrollment' && caller.kind !== 'anyone') throw new JobForgeError('ROLE_REQUIRED');
  const {
    hostname,
    name,
    os_type: os,
  } = parts.readAnnounced(QuarterbackRegistration, await readJson(request, MAX_REGISTRATION_BYTES));
  const registration = parts.readAnnounced(RunnerRegistrationRequest, {
    ...{ name: (name || hostname).slice(0, 128), version: '1', contractVersion: CONTRACT_VERSION_CURRENT },
    ...{ capabilities: [TASK_CAPABILITY], tags: ['quarterback'], maxConcurrency: 1, labels: { os } },
    ...{ machineId: asIdentifier(`quarterback:${hostname}`), instanceId: parts.instanceId },
    delivery: { kind: 'long-poll' },
  });
  const { runnerId, runnerSecret } = await operations.registerRunner(registration, caller);
  if (runnerSecret === undefined && caller.kind === 'enrollment')
    throw new JobForgeError('VALIDATION_ERROR', {
      message: `The token "${caller.token}" hands out no secret (it is not durable), and this runner needs one.`,
    });
  const metadata = await operations.showRunner(runnerId);
  const body: QuarterbackRegistered = {
    ...nodeOf({ caller, metadata }, { hostname, os_type: os }),
    // Where nobody is asked for a credential, it says who asks.
    api_key: runnerSecret ?? `${runnerId}.open`,
  };
  return { status: 200, body };
}

/** Where the runner finds its files: where it asks, below our base. */
function baseOf({ headers, socket }: IncomingMessage): string {
  const isSecure = 'encrypted' in socket || String(headers['x-forwarded-proto']).startsWith('https');
  return `${isSecure ? 'https' : 'http'}://${headers.host ?? 'localhost'}${BASE}`;
}

/** Does something that may wait, for as long as whoever asks is there. */
async function whileThere<T>(
  { socket }: IncomingMessage,
  act: (gone: AbortSignal) => Promise<T>,
): Promise<T> {
  const gone = new AbortController();
  // The connection may carry many questions, one after the other.
  const leave = (): void => gone.abort();
  socket.once('close', leave);
  return act(gone.signal).finally(() => socket.off('close', leave));
}

async function pending(parts: Parts, exchange: DoorExchange): Promise<DoorReply> {
  const who = await known(parts, exchange);
  const { request } = exchange;
  const assignment = await whileThere(request, (gone) => parts.nodes.next(who, gone));
  return { status: 200, body: assignment && { ...assignment, orchestrator_url: baseOf(request) } };
}

async function heartbeat(parts: Parts, exchange: DoorExchange): Promise<DoorReply> {
  const who = await known(parts, exchange);
  const said = await bodyAs(QuarterbackHeartbeat, exchange.request);
  const { node_id, status, current_task_id } = said;
  if (node_id !== who.metadata.id) throw new JobForgeError('RUNNER_MISMATCH');
  await parts.nodes.beat(who, said);
  return { status: 200, body: nodeOf(who, { status, current_task_id: current_task_id ?? null }) };
}

/** Who reports, once it is listened to: what it sends is not read before. */
async function reporting(parts: Parts, exchange: DoorExchange): Promise<Known> {
  const who = await known(parts, exchange);
  if (await whileThere(exchange.request, (gone) => parts.nodes.mayReport(who, gone))) return who;
  if (exchange.request.socket.destroyed) throw new CallerGone();
  throw new JobForgeError('STORE_UNAVAILABLE', {
    message: 'Too many reports of this runner wait to be written.',
    remedy: 'Report again in a moment.',
  });
}

async function status(parts: Parts, exchange: DoorExchange): Promise<DoorReply> {
  const who = await reporting(parts, exchange);
  const update = await bodyAs(QuarterbackStatusUpdate, exchange.request);
  const isWanted = parts.nodes.status(who, update);
  // Runners of ours read this; Quarterback's own hears of no cancel.
  return { status: 200, body: { task_id: update.task_id, status: isWanted ? update.status : 'cancelled' } };
}

async function logs(parts: Parts, exchange: DoorExchange): Promise<DoorReply> {
  const who = await reporting(parts, exchange);
  parts.nodes.logs(who, await bodyAs(QuarterbackLogs, exchange.request, QUARTERBACK_LOG_BYTES));
  return { status: 200, body: { ok: true } };
}

async function file(parts: Parts, exchange: DoorExchange): Promise<DoorReply> {
  const who = await known(parts, exchange);
  const bytes = parts.nodes.file(who, exchange.params['name'] ?? '');
  if (bytes === undefined) throw new JobForgeError('FILE_NOT_FOUND');
  return { status: 200, body: bytes };
}

type Answer = (parts: Parts, exchange: DoorExchange) => Promise<DoorReply>;

function endpointsOf(parts: Parts): DoorEndpoint[] {
  const { register: at, pending: next, heartbeat: beat, status: said, logs: log, files } = QUARTERBACK_PATHS;
  const row = (method: 'GET' | 'POST', path: string, answer: Answer): DoorEndpoint => ({
    ...{ method, path, auth: answer === register ? 'enroll' : 'runner' },
    answer: (exchange) => answer(parts, exchange),
  });
  return [
    ...['', BASE].flatMap((base) => [
      row('POST', `${base}/${at}`, register),
      row('GET', `${base}/${next}`, pending),
      row('POST', `${base}/${beat}`, heartbeat),
      row('POST', `${base}/${said}`, status),
      row('POST', `${base}/${log}`, logs),
    ]),
    row('GET', `${BASE}/${files}/:name`, file),
  ];
}

/** Lets runners of a Quarterback in: they register, and ask for everything else themselves. */
export function createQuarterbackDoor(parts: DoorParts): Door {
  return {
    name: 'quarterback',
    endpoints: endpointsOf({ ...parts, nodes: createQuarterbackNodes(parts) }),
    refusal: ({ envelope }) => ({ status: statusOf(envelope), body: { detail: envelope.message } }),
  };
}
