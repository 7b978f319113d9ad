import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NDJSON } from '@controlplane/contracts';
import { parseJson } from '../recorded-message.js';
import { ask, type JudgedPlane } from './plane-client.js';
import { playedEvent, playedRegistration, readOffer, success } from './played-runner.js';

/** One request that the control plane sent to a runner. */
export interface Pushed {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
  readonly json: unknown;
}

/** A runner that is pushed to; it does at once what it is sent. */
export interface PushedRunner {
  readonly runnerId: string | undefined;
  readonly capability: string;
  readonly registered: unknown;
  readonly pushed: readonly Pushed[];
  close(): Promise<void>;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** The whole stream of an execution, from its claim to its end. */
function streamOf(line: string): string {
  const offer = readOffer(parseJson(line));
  return [playedEvent(offer, 0, { type: 'accepted' }), success(offer)]
    .map((event) => `${JSON.stringify(event)}\n`)
    .join('');
}

/** Registers a runner that listens at a port of its own. */
export async function playPushedRunner(
  plane: JudgedPlane,
  credential: string | undefined,
): Promise<PushedRunner> {
  const pushed: Pushed[] = [];
  const server = createServer((request, response) => {
    void textOf(request).then((text) => {
      const path = request.url ?? '/';
      if (path !== '/execute') {
        response.writeHead(200, { 'content-type': 'application/json' });
        return response.end('{"status":"healthy"}');
      }
      const headers = request.headers as Record<string, string | undefined>;
      pushed.push({ path, headers, text, json: parseJson(text) });
      response.writeHead(200, { 'content-type': NDJSON });
      return response.end(text.split('\n').filter(Boolean).map(streamOf).join(''));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const { capability, ...registration } = playedRegistration('push', {
    healthCheckEndpoint: `http://127.0.0.1:${port}/health`,
    features: ['ndjson', 'signed'],
  });
  const reply = await ask(plane, ['POST', '/runners/register'], { body: registration, as: credential });
  const { runnerId } = Object(reply.json) as { readonly runnerId?: string };
  return {
    runnerId,
    capability,
    registered: reply.json,
    pushed,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
