import { type ErrorEnvelope } from '@controlplane/contracts';
import {
  AUTOMN_SECRET_LENGTH,
  AUTOMN_VERSIONS,
  AutomnRegistration,
  automnRegisterPath,
  type AutomnRefused,
  type AutomnRegistered,
} from '@controlplane/contracts/automn';
import { readJson } from '../../api/body-reader.js';
import { JobForgeError } from '../../model/job-forge-error.js';
import type { Door, DoorExchange, DoorParts, DoorReply } from '../door.js';
import { createAutomnHosts, type AutomnHosts } from './automn-hosts.js';
import { createRunClient } from './run-client.js';

const REGISTER = `/${automnRegisterPath('-').replace(/-(?=\/register$)/, ':id')}`;

/** Bytes of a registration, which has its secret within: whoever sends it has proved nothing. */
const MAX_BODY_BYTES = 64 * 1024;

const refused = (status: number, error: string, code?: string): DoorReply => {
  const body: AutomnRefused = { error, ...(code !== undefined && { code }) };
  return { status, body };
};

function refusalOf({ code, message }: ErrorEnvelope): DoorReply {
  if (code === 'TOKEN_REVOKED') return refused(403, 'Runner is disabled', 'runner_disabled');
  if (/^(CREDENTIAL|TOKEN|ROLE|MACHINE|RUNNER_MISMATCH)/.test(code))
    return refused(401, code === 'CREDENTIAL_INVALID' ? 'Invalid runner secret' : message, 'invalid_secret');
  if (code === 'AUTH_RATE_LIMITED') return refused(429, message);
  if (code === 'ALREADY_CONNECTED') return refused(409, message);
  if (code === 'VALIDATION_ERROR' || code === 'INVALID_JSON' || code === 'UNSUPPORTED_MEDIA_TYPE')
    return refused(400, message);
  return refused(code === 'PAYLOAD_TOO_LARGE' ? 413 : 503, message);
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/** What is wrong with a registration, in the order in which Automn looks. */
function wrongWith(body: unknown): string | undefined {
  const { secret, endpoint } = Object(body) as { readonly secret?: unknown; readonly endpoint?: unknown };
  if (typeof secret !== 'string' || secret === '') return 'Runner secret is required';
  if (typeof endpoint !== 'string' || endpoint === '') return 'Runner endpoint is required';
  return isHttpUrl(endpoint) ? undefined : 'Runner endpoint must be a valid http(s) URL';
}

interface Parts extends DoorParts {
  readonly hosts: AutomnHosts;
}

async function register(
  { gate, hosts, readAnnounced }: Parts,
  { request, params, address }: DoorExchange,
): Promise<DoorReply> {
  const body = await readJson(request, MAX_BODY_BYTES);
  const wrong = wrongWith(body);
  if (wrong !== undefined) return refused(400, wrong);
  const registration = readAnnounced(AutomnRegistration, body);
  const { id = '' } = params;
  if (id === '') return refused(400, 'Invalid registration: no id');
  const { secret } = registration;
  const caller = await gate.identify(secret, address);
  if (caller.kind === 'api') throw new JobForgeError('CREDENTIAL_INVALID');
  if (caller.kind === 'anyone' && secret.length < AUTOMN_SECRET_LENGTH)
    return refused(400, 'Runner secret is required');
  await hosts.register({ caller, id, registration });
  return { status: 200, body: registered(id, registration) };
}

function registered(id: string, registration: AutomnRegistration): AutomnRegistered {
  const { endpoint, statusMessage = null, maxConcurrency = null, timeoutMs = null } = registration;
  const { host: hostVersion, minimumRunner: minimumRunnerVersion } = AUTOMN_VERSIONS;
  return {
    runnerHost: {
      ...{ id, name: id, status: 'healthy', statusMessage, endpoint, maxConcurrency, timeoutMs },
      ...{ isHealthy: true, isStale: false, isCompatible: true, adminOnly: false },
      ...{ hostVersion, minimumRunnerVersion },
    },
    registered: true,
    ...{ hostVersion, minimumRunnerVersion },
  };
}

/** Lets runners of Automn in: they register by the call by which they beat, and are sent jobs by requests. */
export function createAutomnDoor(parts: DoorParts): Door {
  const own = { ...parts, hosts: createAutomnHosts(parts, createRunClient()) };
  return {
    name: 'automn',
    endpoints: [
      { method: 'POST', path: REGISTER, auth: 'enroll', answer: (exchange) => register(own, exchange) },
    ],
    refusal: ({ envelope }) => refusalOf(envelope),
  };
}
