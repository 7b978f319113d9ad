/**
 * A runner at a control plane of another kind: FOREIGN_HOST says of which, FOREIGN_URL where. A command, script or
 * prompt is a JSON text that names a fixture capability of the kit and its input.
 */
import { createRunner, defineCapability } from '@controlplane/runner-sdk';
import { automn } from '@controlplane/runner-sdk/automn';
import { conformanceCapabilities } from '@controlplane/runner-sdk/conformance';
import { quarterback } from '@controlplane/runner-sdk/quarterback';
import { swamp } from '@controlplane/runner-sdk/swamp';
import { swarmlet } from '@controlplane/runner-sdk/swarmlet';
import { z } from 'zod';

const fixtures = conformanceCapabilities();
const order = defineCapability({
  id: 'conformance.order',
  version: '1.0.0',
  description: 'Does what a fixture capability of the kit does, chosen by the order itself.',
  effects: 'none',
  input: z.discriminatedUnion(
    'capability',
    fixtures.map(({ id, input }) => z.object({ capability: z.literal(id), input })),
  ),
  execute: ({ capability, input }, ctx) => fixtures.find(({ id }) => id === capability).execute(input, ctx),
});

const { FOREIGN_HOST = '', FOREIGN_URL: url } = process.env;
const capability = order.id;
const given = { url, capability, payload: (text) => JSON.parse(text) };
const hosts = {
  swarmlet: () => swarmlet({ ...given, runnerId: 7, secret: 'seven-secret', reconnectDelayMs: 20 }),
  automn: () =>
    automn({
      ...{ hostUrl: url, runnerId: 'default', secret: 'default-secret', host: '127.0.0.1', port: 0 },
      ...{ publicUrl: undefined, capability, payload: ({ script }) => JSON.parse(script.code) },
    }),
  swamp: () => swamp({ ...given, token: 'fleet.s3cret' }),
  quarterback: () =>
    quarterback({
      ...{ url, registrationToken: 'let-me-in', capability, payload: ({ prompt }) => JSON.parse(prompt) },
      ...{ pollIntervalMs: 20, heartbeatIntervalMs: 100, reportIntervalMs: 50 },
    }),
};

await createRunner({
  name: 'builder',
  version: '1.0.0',
  capabilities: [order],
  maxConcurrency: 4,
  hosts: [hosts[FOREIGN_HOST]()],
}).start();
