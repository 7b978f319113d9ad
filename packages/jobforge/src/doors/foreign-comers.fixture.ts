import type { GuardedForge } from '../testing/guarded-forge.js';
import type { DoorName } from './door.js';
import { dialDoor, type ForeignClient } from './foreign-client.fixture.js';

/** What came of it: `in`, or why not. */
type Came = Promise<string>;

/** A runner that comes by one door, with whatever it is given to prove itself with. */
export interface Comer {
  /** Comes for the first time, with an enrollment token. @returns what it proves itself with from now on */
  enroll(token: string): Promise<string>;
  /** Comes again. */
  come(credential: string): Came;
  /** Says of itself what cannot be taken. */
  misspeak(credential: string): Came;
  close(): void;
}

const metadata = { hostname: 'cellar', platform: 'linux', arch: 'x64', runner_version: '1' };

function comer(of: GuardedForge) {
  const clients: ForeignClient[] = [];
  return {
    async dial(path: string): Promise<ForeignClient> {
      const client = await dialDoor(of.url, path);
      clients.push(client);
      return client;
    },
    async post(path: string, body: object, headers: Record<string, string> = {}) {
      const response = await fetch(`${of.url}${path}`, {
        ...{ method: 'POST', body: JSON.stringify(body) },
        headers: { 'content-type': 'application/json', ...headers },
      });
      const said = (await response.json()) as Record<string, unknown>;
      const came = response.ok ? 'in' : `${response.status} ${JSON.stringify(said)}`;
      return { came, said };
    },
    /** Whatever is refused is closed; what is not is listed. */
    async outcome(client: ForeignClient): Came {
      const refused = client.closed.then(({ code, reason }) => `${code} ${reason}`);
      let isOver = false;
      const taken = async (): Came => {
        while (!isOver) {
          const [runner] = await of.forge.operations.listRunners();
          // Once it has enrolled it is listed, as one that is to come for its work; then it is connected.
          if (runner?.status === 'healthy' && runner.delivery?.kind === 'websocket') return 'in';
          // What comes over sockets has its turn in between.
          await new Promise(setImmediate);
        }
        return '';
      };
      const came = await Promise.race([refused, taken()]);
      isOver = true;
      return came;
    },
    /** By another way, for a door where a runner comes with its token each time. */
    async secretOf(): Promise<string> {
      const [runner] = await of.forge.operations.listRunners();
      const { runnerSecret } = await of.forge.operations.rotateRunnerSecret(runner?.id ?? '', {
        overlapMs: 0,
      });
      return runnerSecret;
    },
    close: () => {
      for (const client of clients) client.hangUp();
    },
  };
}

const MAKERS: Readonly<Record<DoorName, (of: GuardedForge) => Comer>> = {
  swarmlet(of) {
    const { dial, post, outcome, close } = comer(of);
    let id: unknown;
    const greet = async (secret: string, more: object = {}): Came => {
      const client = await dial('/api/runners/ws');
      client.send({ type: 'hello', runner_id: id, secret, metadata, ...more });
      return outcome(client);
    };
    return {
      async enroll(enroll_token) {
        const { said } = await post('/api/runners/register', { enroll_token, name: 'one', metadata });
        id = said['runner_id'];
        await greet(String(said['runner_secret']));
        return String(said['runner_secret']);
      },
      come: (secret) => greet(secret),
      misspeak: (secret) => greet(secret, { metadata: { ...metadata, hostname: 7 } }),
      close,
    };
  },
  automn(of) {
    const { post, secretOf, close } = comer(of);
    const beat = async (secret: string, more: object = {}): Came => {
      const body = { secret, endpoint: 'http://127.0.0.1:1/api/run', version: '0.2.16', ...more };
      return (await post('/api/settings/runner-hosts/one/register', body)).came;
    };
    return {
      async enroll(token) {
        await beat(token);
        return secretOf();
      },
      come: (secret) => beat(secret),
      misspeak: (secret) => beat(secret, { maxConcurrency: -1 }),
      close,
    };
  },
  quarterback(of) {
    const { post, close } = comer(of);
    let node_id: unknown;
    const register = (token: string, more: object = {}) =>
      post('/register', { hostname: 'cellar', os_type: 'linux', ...more }, { 'x-registration-token': token });
    return {
      async enroll(token) {
        const { said } = await register(token);
        node_id = said['id'];
        return String(said['api_key']);
      },
      come: async (key) =>
        (await post('/nodes/heartbeat', { node_id, status: 'idle' }, { 'x-api-key': key })).came,
      misspeak: async (token) => (await register(token, { hostname: 7 })).came,
      close,
    };
  },
  swamp(of) {
    const { dial, secretOf, close } = comer(of);
    const enroll = async (token: string, more: object = {}): Came => {
      const client = await dial('/');
      const params = {
        ...{ token, instanceUuid: 'i', machineId: 'cellar', protocolVersion: 4, swampVersion: '1' },
        ...{ platform: 'linux', arch: 'x86_64', ...more },
      };
      client.send({ type: 'rpc.request', id: '1', method: 'worker.enroll', params });
      const answer = await client.next();
      if (answer['type'] === 'rpc.response') return 'in';
      return JSON.stringify(answer['error']);
    };
    return {
      async enroll(token) {
        await enroll(token);
        return secretOf();
      },
      come: (token) => enroll(token),
      misspeak: (token) => enroll(token, { labels: { region: 7 } }),
      close,
    };
  },
};

export const comerAt = (door: DoorName, of: GuardedForge): Comer => MAKERS[door](of);
