import type { Endpoint } from './endpoint.js';
import { DeleteSecretQuery, DeleteSecretResponse, SecretEntry, SetSecretRequest } from './secrets.js';

const served = { server: 'jobforge', status: 200, auth: 'admin' } as const;

/** Where secrets are kept. Their values go in, and come out with executions alone. */
export const SECRET_ENDPOINTS = {
  listSecrets: {
    ...served,
    method: 'GET',
    path: '/secrets',
    response: SecretEntry.array(),
    summary: 'Every secret, without its value',
  },
  setSecret: {
    ...served,
    method: 'PUT',
    path: '/secrets/:id',
    request: SetSecretRequest,
    response: SecretEntry,
    summary: 'Set a secret by its name: executions that start from now on are given it',
  },
  deleteSecret: {
    ...served,
    method: 'DELETE',
    path: '/secrets/:id',
    query: DeleteSecretQuery,
    response: DeleteSecretResponse,
    summary: 'Forget a secret',
  },
} as const satisfies Record<string, Endpoint>;
