import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { SwampHandle } from '@controlplane/contracts/swamp';
import { z } from 'zod';
import { CallerGone, readJson } from '../../api/body-reader.js';
import { HTTP_LIMITS } from '../../api/http-limits.js';
import { isJobForgeError, JobForgeError } from '../../model/job-forge-error.js';
import type { DoorEndpoint, DoorExchange, DoorReply } from '../door.js';
import { ShellRecord } from './dispatch.js';

/** Takes what commands write of their ends. */
export interface DataDesk {
  readonly endpoints: readonly DoorEndpoint[];
  /** A place to write to, for one dispatch. */
  open(): DataPlace;
}

/** What one dispatch writes. */
export interface DataPlace {
  /** What proves that it is of this dispatch. */
  readonly credential: string;
  record(): ShellRecord | undefined;
  /** Nothing more is taken. */
  close(): void;
}

interface Place {
  record: ShellRecord | undefined;
  /** By the writer's id, the name under which it writes. */
  readonly writers: Map<string, Named>;
}

type Named = z.infer<typeof Named>;
// Nothing else is kept: a body may have megabytes.
const Named = z.object({ specName: z.string().min(1).max(256), name: z.string().min(1).max(256) });
const Resource = Named.extend({ data: z.unknown() });

/** Of one dispatch. */
const MAX_WRITERS = 100;

const hashOf = (credential: string): string => createHash('sha256').update(credential).digest('hex');

const handle = ({ name, specName }: Named, kind: 'resource' | 'file'): SwampHandle & { kind: string } => ({
  ...{ dataId: randomUUID(), version: 1, name, specName, kind },
});

/** Reads what is not kept: what a command printed was streamed, and is in its record. */
async function drained(request: IncomingMessage): Promise<void> {
  let bytes = 0;
  try {
    // Left open where it is too long, so that the answer arrives.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      bytes += (chunk as Buffer).length;
      if (bytes > HTTP_LIMITS.maxBodyBytes) throw new JobForgeError('PAYLOAD_TOO_LARGE');
    }
  } catch (error) {
    throw isJobForgeError(error) ? error : new CallerGone();
  }
}

async function named<Schema extends z.ZodType>(
  schema: Schema,
  request: IncomingMessage,
): Promise<z.output<Schema>> {
  const read = schema.safeParse(await readJson(request));
  if (read.success) return read.data;
  throw new JobForgeError('VALIDATION_ERROR', { message: 'expected specName and name' });
}

export function createDataDesk(): DataDesk {
  /** By the hash of the credential: finding one tells nothing of the others. */
  const places = new Map<string, Place>();

  const placeOf = ({ headers: { authorization = '' } }: IncomingMessage): Place => {
    const place = places.get(hashOf(/^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? ''));
    if (place === undefined) throw new JobForgeError('CREDENTIAL_INVALID');
    return place;
  };
  const writing = async ({ request, params }: DoorExchange): Promise<DoorReply> => {
    const writer = placeOf(request).writers.get(params['id'] ?? '');
    if (writer === undefined) throw new JobForgeError('ARTIFACT_NOT_FOUND', { message: 'Unknown writer' });
    await drained(request);
    return { status: 200, body: handle(writer, 'file') };
  };
  const post = (path: string, answer: DoorEndpoint['answer']): DoorEndpoint => ({
    ...{ method: 'POST', path, auth: 'runner', answer },
  });

  return {
    endpoints: [
      post('/data/resource', async ({ request }) => {
        const place = placeOf(request);
        const resource = await named(Resource, request);
        place.record = ShellRecord.safeParse(resource.data).data ?? place.record;
        return { status: 200, body: handle(resource, 'resource') };
      }),
      post('/data/writers', async ({ request }) => {
        const { writers } = placeOf(request);
        const writer = await named(Named, request);
        if (writers.size >= MAX_WRITERS) throw new JobForgeError('PAYLOAD_TOO_LARGE');
        const writerId = randomUUID();
        writers.set(writerId, writer);
        return { status: 200, body: { writerId, dataId: randomUUID() } };
      }),
      ...['line', 'content', 'finalize'].map((what) => post(`/data/writers/:id/${what}`, writing)),
      {
        method: 'GET',
        path: '/bundle/:fingerprint',
        auth: 'runner',
        async answer({ request }) {
          placeOf(request);
          return { status: 404, body: { error: 'Unknown bundle fingerprint' } };
        },
      },
    ],
    open() {
      const credential = randomBytes(32).toString('hex');
      const hash = hashOf(credential);
      const place: Place = { record: undefined, writers: new Map() };
      places.set(hash, place);
      return { credential, record: () => place.record, close: () => void places.delete(hash) };
    },
  };
}
