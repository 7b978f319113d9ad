import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NDJSON } from '@controlplane/contracts';
import { parseJson } from '../recorded-message.js';
import { readBody } from '../recording-control-plane.js';
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
    const answer = (text: string): void => {
      const path = request.url ?? '/';
      if (path !== '/execute') {
        response.writeHead(200, { 'content-type': 'application/json' });
        return void response.end('{"status":"healthy"}');
      }
      const headers = request.headers as Record<string, string | undefined>;
      pushed.push({ path, headers, text, json: parseJson(text) });
      response.writeHead(200, { 'content-type': NDJSON });
      response.end(text.split('\n').filter(Boolean).map(streamOf).join(''));
    };
    // A control plane may break off while it speaks.
    readBody(request).then(answer, () => response.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const { capability, ...registration } = playedRegistration('push', {
    healthCheckEndpoint: `http://127.0.0.1:${port}/health`,
    features: ['ndjson', 'signed'],
  });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const asking = { body: registration, as: credential };
  const reply = await ask(plane, ['POST', '/runners/register'], asking).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const { runnerId } = Object(reply.json) as { readonly runnerId?: string };
  return {
    runnerId,
    capability,
    registered: reply.json,
    pushed,
    close,
  };
}
