import {
  AccessToken,
  CreatedToken,
  Identity,
  RevokedRunner,
  RotatedSecret,
  SecretRotation,
  TokenCreation,
} from './access.js';
import type { Endpoint } from './endpoint.js';

const served = { server: 'jobforge', status: 200 } as const;

/** What JobForge answers on who may ask it what. */
export const ACCESS_ENDPOINTS = {
  whoAmI: {
    ...served,
    method: 'GET',
    path: '/whoami',
    response: Identity,
    auth: 'any',
    summary: 'Whose credential this is; 401 with the reason where it is none that is taken',
  },
  createToken: {
    ...served,
    method: 'POST',
    path: '/tokens',
    request: TokenCreation,
    response: CreatedToken,
    status: 201,
    auth: 'admin',
    summary: 'Make an API token or an enrollment token; it is shown this once',
  },
  listTokens: {
    ...served,
    method: 'GET',
    path: '/tokens',
    response: AccessToken.array(),
    auth: 'admin',
    summary: 'Every token, without its secret',
  },
  revokeToken: {
    ...served,
    method: 'POST',
    path: '/tokens/:id/revoke',
    response: AccessToken,
    auth: 'admin',
    summary: 'Take a token back; of an enrollment token, with all runners that came with it',
  },
  revokeRunner: {
    ...served,
    method: 'POST',
    path: '/runners/:id/revoke',
    response: RevokedRunner,
    auth: 'admin',
    summary: 'Take back what a runner proves itself with, and cut it off',
  },
  rotateRunnerSecret: {
    ...served,
    method: 'POST',
    path: '/runners/:id/rotate-secret',
    request: SecretRotation,
    response: RotatedSecret,
    auth: 'admin',
    summary: 'Give a runner another secret; the one before is taken for a while',
  },
} as const satisfies Record<string, Endpoint>;
