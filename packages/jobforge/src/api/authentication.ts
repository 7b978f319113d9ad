import type { IncomingMessage } from 'node:http';
import { ENDPOINTS, type AccessRole, type Endpoint, type EndpointAuth } from '@controlplane/contracts';
import { allows, type Caller, type Gate } from '../model/caller.js';
import { JobForgeError } from '../model/job-forge-error.js';
import type { Operations } from '../model/operations.js';
import { checkScope } from './scope.js';
import type { ServedName } from './served-endpoints.js';

/** What authentication needs of a request. */
export type Authenticable = Pick<IncomingMessage, 'headers' | 'socket'>;

/** Says who asks for an endpoint, and refuses whoever may not. */
export type Authenticate = (
  name: ServedName,
  request: Authenticable,
  params: Readonly<Record<string, string>>,
) => Caller | Promise<Caller>;

const ANYONE: Caller = { kind: 'anyone' };
const BEARER = /^bearer +(\S+) *$/i;

/** The credential of a request; undefined where it carries none. */
function credentialOf({ headers: { authorization } }: Authenticable): string | undefined {
  if (authorization === undefined || authorization === '') return undefined;
  const token = BEARER.exec(authorization)?.[1];
  if (token !== undefined) return token;
  throw new JobForgeError('CREDENTIAL_INVALID', {
    message: 'The authorization header is not `Bearer …` with one credential.',
    remedy: 'Send `authorization: Bearer` and the token or secret, with one space between.',
  });
}

const WHO: Readonly<Record<Exclude<Caller['kind'], 'anyone' | 'api'>, string>> = {
  runner: 'A runner’s credential',
  enrollment: 'An enrollment token',
};

function refuseRole(caller: Caller, wanted: string): JobForgeError {
  const what =
    caller.kind === 'api'
      ? `The token "${caller.name}" has the role ${caller.role}`
      : `${WHO[caller.kind === 'runner' ? 'runner' : 'enrollment']} is no API token`;
  return new JobForgeError('ROLE_REQUIRED', { message: `${what}; this needs ${wanted}.` });
}

/** Refuses whoever has a credential that is not of the kind that an endpoint asks for, or too small a role. */
export function checkRole(auth: EndpointAuth, caller: Caller): void {
  if (caller.kind === 'anyone' || auth === 'none' || auth === 'any' || auth === 'dispatch') return;
  if (auth === 'enroll' || auth === 'runner') {
    if (caller.kind === 'api')
      throw refuseRole(caller, 'an enrollment token, a runner secret or a session credential');
    return;
  }
  const wanted: AccessRole = auth;
  if (caller.kind !== 'api' || !allows(caller.role, wanted))
    throw refuseRole(
      caller,
      `an API token with the role ${wanted}${wanted === 'admin' ? '' : ' or a larger one'}`,
    );
}

/** Refuses a runner that asks about another. What a path does not name is told by the body: its handler asks. */
function checkTarget(
  { auth, path }: Endpoint,
  { caller, id, operations }: { caller: Caller; id: string | undefined; operations: Operations },
): void {
  if (auth !== 'runner' || id === undefined) return;
  if (path.startsWith('/executions/')) operations.checkOwner(caller, { executionId: id });
  else operations.checkOwner(caller, { runnerId: id });
}

export function createAuthenticate(gate: Gate, operations: Operations): Authenticate {
  const check = (
    name: ServedName,
    caller: Caller,
    { id }: Readonly<Record<string, string>>,
  ): Caller | Promise<Caller> => {
    const endpoint: Endpoint = ENDPOINTS[name];
    checkRole(endpoint.auth, caller);
    checkTarget(endpoint, { caller, id, operations });
    const isScoped = caller.kind === 'api' && (caller.capabilities ?? caller.runners) !== undefined;
    return isScoped ? checkScope({ name, caller, id, operations }) : caller;
  };
  return (name, request, params) => {
    const { auth }: Endpoint = ENDPOINTS[name];
    if (auth === 'none') return ANYONE;
    const caller = gate.identify(credentialOf(request), request.socket.remoteAddress ?? '');
    return caller instanceof Promise
      ? caller.then((known) => check(name, known, params))
      : check(name, caller, params);
  };
}
