import { createConfig, lintFromString } from '@redocly/openapi-core';
import { describe, expect, it } from 'vitest';
import { asyncApiDocument } from './asyncapi.js';
import { endpointsOf } from './document-schemas.js';
import { RunnerFrame, ServerFrame } from './frame.js';
import { openApiDocument } from './openapi.js';

/** Where all is well when the connection has become a socket: 101 and no 2XX. */
const SWITCHES = /^operation-2xx-response #\/paths\/~1runners~1connect\//;

/** What the linter has against a document, a line each. */
async function problemsOf(document: object): Promise<string[]> {
  const config = await createConfig({
    extends: ['recommended'],
    rules: {
      // Everybody reads its own: whoever serves the document is the server.
      'no-server-example.com': 'error',
      'no-unused-components': 'error',
      'operation-4xx-response': 'error',
    },
  });
  const problems = await lintFromString({
    source: JSON.stringify(document),
    absoluteRef: 'document.json',
    config,
  });
  return problems
    .map(({ ruleId, message, location }) => `${ruleId} ${location[0]?.pointer ?? ''}: ${message}`)
    .filter((problem) => !SWITCHES.test(problem));
}

describe('the documents of the APIs', () => {
  it.each(['jobforge', 'runner'] as const)(
    'have nothing that a linter objects to: OpenAPI of %s',
    async (server) => {
      expect(await problemsOf(openApiDocument(server, { version: '1.2.3' }))).toEqual([]);
    },
  );

  it('have nothing that a linter objects to: AsyncAPI of JobForge', async () => {
    expect(await problemsOf(asyncApiDocument({ version: '1.2.3' }))).toEqual([]);
  });

  it('are refused by the linter where they are wrong, so that the above says something', async () => {
    const wrong = structuredClone(openApiDocument('runner')) as { paths: Record<string, object> };
    wrong.paths['/nowhere/{id}'] = { get: { responses: {} } };
    expect((await problemsOf(wrong)).join('\n')).toContain('path-parameters-defined');
    const lost = { ...asyncApiDocument(), operations: { x: { action: 'shout' } } };
    expect(await problemsOf(lost)).not.toEqual([]);
  });

  it.each(['jobforge', 'runner'] as const)(
    'name every endpoint of %s once, with its method and path',
    (server) => {
      const { paths } = openApiDocument(server) as {
        paths: Record<string, Record<string, { operationId: string }>>;
      };
      const named = Object.entries(paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(
          ([method, { operationId }]) => `${operationId} ${method.toUpperCase()} ${path}`,
        ),
      );
      const table = endpointsOf(server).map(
        ([name, { method, path }]) => `${name} ${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`,
      );
      expect(named.toSorted()).toEqual(table.toSorted());
    },
  );

  it('say with which credential each endpoint is asked', () => {
    const { paths } = openApiDocument('jobforge') as {
      paths: Record<string, Record<string, { security: object[] }>>;
    };
    expect(paths['/health']?.['get']?.security).toEqual([]);
    expect(paths['/jobs']?.['post']?.security).toEqual([{ bearer: [] }]);
  });

  it('name every frame of the socket', () => {
    const { channels } = asyncApiDocument() as {
      channels: { runnerConnection: { messages: Record<string, unknown> } };
    };
    expect(Object.keys(channels.runnerConnection.messages)).toHaveLength(
      RunnerFrame.options.length + ServerFrame.options.length,
    );
  });

  it('list each schema once and point at it', () => {
    const { components } = openApiDocument('jobforge') as {
      components: { schemas: Record<string, { properties?: Record<string, unknown> }> };
    };
    expect(components.schemas['Refusal']?.properties?.['error']).toEqual({
      $ref: '#/components/schemas/ErrorEnvelope',
    });
    expect(Object.keys(components.schemas)).toContain('JobSubmission');
    expect(Object.keys(components.schemas)).not.toContain('QueueMessage');
  });
});
