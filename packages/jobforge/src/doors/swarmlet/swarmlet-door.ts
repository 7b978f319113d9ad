import { randomUUID } from 'node:crypto';
import { RunnerRegistrationRequest, type ErrorEnvelope } from '@controlplane/contracts';
import {
  SWARMLET_PATHS,
  SwarmletRegisterRequest,
  type SwarmletRegisterResponse,
} from '@controlplane/contracts/swarmlet';
import { readJson } from '../../api/body-reader.js';
import { JobForgeError } from '../../model/job-forge-error.js';
import type { Door, DoorExchange, DoorParts, DoorReply } from '../door.js';
import { createForeignRunners } from '../foreign-runners.js';
import { capabilitiesOf, enrolling, numberOf } from './announcement.js';
import { createSwarmletCommands } from './swarmlet-commands.js';
import { openSwarmletSocket } from './swarmlet-socket.js';

/** Bytes of an enrollment: whoever sends it has proved nothing. */
const MAX_BODY_BYTES = 64 * 1024;

/** What an enrollment that is refused is answered with. */
function refusal({ envelope }: JobForgeError): DoorReply {
  const isOfToken = /^(CREDENTIAL|ROLE)_/.test(envelope.code);
  const detail = isOfToken ? 'Invalid or expired enrollment token' : envelope.message;
  return { status: statusOf(envelope), body: { detail } };
}

function statusOf({ code }: ErrorEnvelope): number {
  switch (code) {
    case 'ALREADY_CONNECTED':
    case 'RUNNER_IN_USE':
      return 409;
    case 'AUTH_RATE_LIMITED':
      return 429;
    case 'PAYLOAD_TOO_LARGE':
      return 413;
    case 'SHUTTING_DOWN':
    case 'STORE_UNAVAILABLE':
      return 503;
    case 'INTERNAL_ERROR':
      return 500;
    case 'VALIDATION_ERROR':
      return 422;
    default:
      return 400;
  }
}

/** Exchanges an enrollment token of JobForge for a number and a runner secret of JobForge. */
async function enroll(parts: DoorParts, { request, address }: DoorExchange): Promise<DoorReply> {
  const { readAnnounced } = parts;
  const asked = readAnnounced(SwarmletRegisterRequest, await readJson(request, MAX_BODY_BYTES));
  const { enroll_token: token, name = `runner-${randomUUID().slice(0, 8)}` } = asked;
  const caller = await parts.gate.identify(token === '' ? undefined : token, address);
  if (caller.kind !== 'enrollment' && caller.kind !== 'anyone') throw new JobForgeError('ROLE_REQUIRED');
  const announced = { ...enrolling(asked, name), instanceId: parts.instanceId };
  const registration = readAnnounced(RunnerRegistrationRequest, announced);
  const { runnerId, runnerSecret } = await parts.operations.registerRunner(registration, caller);
  if (runnerSecret === undefined && caller.kind === 'enrollment')
    throw new JobForgeError('VALIDATION_ERROR', {
      message: `The token "${caller.token}" hands out no secret (it is not durable), and this runner needs one.`,
    });
  const body: SwarmletRegisterResponse = {
    runner_id: numberOf(runnerId),
    // Where nobody is asked for a credential any text will do.
    runner_secret: runnerSecret ?? randomUUID(),
    name,
    runner_capabilities_csv: capabilitiesOf(asked).join(','),
  };
  return { status: 200, body };
}

/** Lets runners of Swarmlet in: they enroll over HTTP and work over a socket. */
export function createSwarmletDoor(parts: DoorParts): Door {
  const own = { ...parts, runners: createForeignRunners(parts), commands: createSwarmletCommands() };
  return {
    name: 'swarmlet',
    endpoints: [
      {
        method: 'POST',
        path: `/${SWARMLET_PATHS.register}`,
        auth: 'enroll',
        answer: (exchange) => enroll(parts, exchange),
      },
    ],
    refusal,
    sockets: {
      isAt: (path) => path === `/${SWARMLET_PATHS.socket}`,
      open: (socket, from) => openSwarmletSocket(own, socket, from),
    },
  };
}
