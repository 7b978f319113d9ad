import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { CallerGone } from '../api/body-reader.js';
import { isJobForgeError, JobForgeError } from '../model/job-forge-error.js';
import {
  DOOR_NAMES,
  type Door,
  type DoorEndpoint,
  type DoorName,
  type DoorParts,
  type DoorReply,
  type Doors,
} from './door.js';
import { createReadAnnounced } from './announced.js';
import { createAutomnDoor } from './automn/automn-door.js';
import { createQuarterbackDoor } from './quarterback/quarterback-door.js';
import { createSwampDoor } from './swamp/swamp-door.js';
import { createSwarmletDoor } from './swarmlet/swarmlet-door.js';

const MAKERS: Readonly<Record<DoorName, (parts: DoorParts) => Door>> = {
  swarmlet: createSwarmletDoor,
  automn: createAutomnDoor,
  quarterback: createQuarterbackDoor,
  swamp: createSwampDoor,
};

interface Found {
  readonly door: Door;
  readonly endpoint: DoorEndpoint;
  readonly params: Readonly<Record<string, string>>;
}

/** The parameters of a path; undefined where it is another one. */
function paramsOf(pattern: string, path: string): Record<string, string> | undefined {
  const [wanted, parts] = [pattern.split('/'), path.split('/')];
  if (wanted.length !== parts.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, word] of wanted.entries()) {
    const part = parts[at] ?? '';
    if (!word.startsWith(':')) {
      if (word !== part) return undefined;
    } else params[word.slice(1)] = decodeURIComponent(part);
  }
  return params;
}

function find(doors: readonly Door[], method: string | undefined, path: string): Found | undefined {
  for (const door of doors)
    for (const endpoint of door.endpoints) {
      const params = endpoint.method === method ? paramsOf(endpoint.path, path) : undefined;
      if (params !== undefined) return { door, endpoint, params };
    }
  return undefined;
}

async function answer(
  { log }: Pick<DoorParts, 'log'>,
  { door, endpoint, params }: Found,
  request: IncomingMessage,
): Promise<DoorReply> {
  try {
    return await endpoint.answer({ request, params, address: request.socket.remoteAddress ?? '' });
  } catch (error) {
    if (error instanceof CallerGone) throw error;
    if (!isJobForgeError(error)) log('error', 'a foreign request failed', { door: door.name, error });
    const refusal = isJobForgeError(error) ? error : new JobForgeError('INTERNAL_ERROR');
    return { ...door.refusal(refusal), retryAfter: refusal.envelope.retryAfter };
  }
}

/** Opens the doors that were named; undefined where none was. */
export function openDoors(
  names: readonly DoorName[],
  parts: Omit<DoorParts, 'instanceId' | 'readAnnounced'>,
): Doors | undefined {
  if (names.length === 0) return undefined;
  const instanceId = `door-${randomUUID()}`;
  // The one that takes a socket at any path is asked last.
  const doors = DOOR_NAMES.filter((name) => names.includes(name)).map((name) => {
    const log: DoorParts['log'] = (severity, message, fields) =>
      parts.log(severity, message, { door: name, ...fields });
    return MAKERS[name]({
      ...{ ...parts, log, instanceId },
      readAnnounced: createReadAnnounced(log, parts.clock),
    });
  });
  return {
    endpoints: doors.flatMap(({ name: door, endpoints }) => endpoints.map((one) => ({ ...one, door }))),
    answer(request) {
      const path = request.url?.split('?')[0] ?? '';
      const found = find(doors, request.method, path);
      return found && answer(parts, found, request);
    },
    socketAt: (path) => doors.find(({ sockets }) => sockets?.isAt(path))?.sockets?.open,
  };
}
