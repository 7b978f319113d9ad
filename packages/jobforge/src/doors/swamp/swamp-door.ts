import { httpStatusOf } from '@controlplane/contracts';
import type { Door, DoorParts } from '../door.js';
import { createDataDesk } from './data-desk.js';
import { openSwampSocket } from './swamp-socket.js';

/**
 * Lets runners of swamp in: they enroll over a socket that they dial at any path, and write what came of a command over
 * HTTP.
 */
export function createSwampDoor(parts: DoorParts): Door {
  const desk = createDataDesk();
  const own = { ...parts, desk };
  return {
    name: 'swamp',
    endpoints: desk.endpoints,
    refusal: ({ envelope: { code, message } }) =>
      code.startsWith('CREDENTIAL')
        ? { status: 401, body: { error: 'Missing or invalid session credential' } }
        : { status: httpStatusOf(code), body: { error: message } },
    sockets: { isAt: () => true, open: (socket, from) => openSwampSocket(own, socket, from) },
  };
}
