import { asyncApiDocument, openApiDocument } from '@controlplane/contracts';
import { afterEach, describe, expect, it } from 'vitest';
import { JOBFORGE_VERSION } from '../model/version.js';
import { closeApis, serveApi } from './api-server.fixture.js';

afterEach(closeApis);

describe('the documents of the API', () => {
  it.each([
    ['/openapi.json', () => openApiDocument('jobforge', { version: JOBFORGE_VERSION })],
    ['/asyncapi.json', () => asyncApiDocument({ version: JOBFORGE_VERSION })],
  ] as const)('are served at %s, the same each time', async (path, expected) => {
    const { url } = await serveApi();
    for (const _ of [1, 2]) {
      const reply = await fetch(`${url}${path}`);
      expect(reply.status).toBe(200);
      expect(await reply.json()).toEqual(JSON.parse(JSON.stringify(expected())));
    }
  });
});
