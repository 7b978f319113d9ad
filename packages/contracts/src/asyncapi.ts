import type { z } from 'zod';
import { documentSchemas } from './document-schemas.js';
import { ENDPOINTS } from './endpoints.js';
import { RunnerFrame, ServerFrame, WEBSOCKET_PROTOCOL } from './frame.js';
import { JobEvent } from './job.js';
import type { ApiDocumentOptions } from './openapi.js';
import { CONTRACT_VERSION_CURRENT, serializeVersion } from './version.js';

type Json = Record<string, unknown>;

const upper = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1)}`;

/** A schema a frame, by the name of its message. */
function framesOf(prefix: string, frame: typeof RunnerFrame | typeof ServerFrame): [string, z.ZodType][] {
  return frame.options.map((option) => [`${prefix}${upper(option.shape.type.value)}`, option]);
}

const bracketed = (path: string): string => path.replaceAll(/:([A-Za-z0-9]+)/g, '{$1}');

const channelRef = (channel: string): Json => ({ $ref: `#/channels/${channel}` });
const messageRefs = (channel: string, names: readonly string[]): Json[] =>
  names.map((name) => ({ $ref: `#/channels/${channel}/messages/${name}` }));

interface Words {
  readonly title: string;
  readonly summary: string;
}

function wordsOf(name: string): Words {
  const [, side = '', frame = ''] = /^(Runner|Server)(.+)$/.exec(name) ?? [];
  const sender = side === 'Runner' ? 'a runner' : 'JobForge';
  return { title: name, summary: `The frame \`${frame.toLowerCase()}\` of ${sender}` };
}

const BEARER = [{ $ref: '#/components/securitySchemes/bearer' }];

function operationsOf(fromRunner: readonly string[], fromServer: readonly string[]): Json {
  return {
    hearRunner: {
      action: 'receive',
      channel: channelRef('runnerConnection'),
      summary: 'What a runner says',
      messages: messageRefs('runnerConnection', fromRunner),
      security: BEARER,
    },
    tellRunner: {
      action: 'send',
      channel: channelRef('runnerConnection'),
      summary: 'What JobForge says to a runner',
      messages: messageRefs('runnerConnection', fromServer),
      security: BEARER,
    },
    tellOfJob: {
      action: 'send',
      channel: channelRef('jobEvents'),
      summary: 'What happens to a job',
      messages: messageRefs('jobEvents', ['JobEvent']),
      security: BEARER,
    },
  };
}

/**
 * The AsyncAPI 3.0 document of what JobForge says and hears beside requests and answers: the frames of the runners'
 * WebSocket, and the events of a job.
 */
export function asyncApiDocument(options: ApiDocumentOptions = {}): Json {
  const fromRunner = framesOf('Runner', RunnerFrame);
  const fromServer = framesOf('Server', ServerFrame);
  const frames = [...fromRunner, ...fromServer];
  const { refOf, ...described } = withSchemas(frames);
  const frameMessages = Object.fromEntries(
    frames.map(([name, schema]) => [name, { name, ...wordsOf(name), payload: refOf(schema) }]),
  );
  const jobEvent = {
    name: 'JobEvent',
    title: 'JobEvent',
    summary: 'The data of one event; its id resumes the stream behind it, as `Last-Event-ID`',
    payload: refOf(JobEvent),
  };
  const names = (of: readonly [string, z.ZodType][]): string[] => of.map(([name]) => name);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'JobForge',
      version: options.version ?? serializeVersion(CONTRACT_VERSION_CURRENT),
      description: 'What JobForge and runners that dial in tell one another, and the events of a job.',
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    },
    defaultContentType: 'application/json',
    channels: {
      runnerConnection: {
        address: bracketed(ENDPOINTS.connectRunner.path),
        title: 'A runner that dials in',
        description: `A WebSocket of the subprotocol ${WEBSOCKET_PROTOCOL}, one frame a message. The runner begins with \`register\` and is answered with \`ready\` or \`refused\`.`,
        messages: frameMessages,
        bindings: { ws: { method: 'GET', bindingVersion: '0.1.0' } },
      },
      jobEvents: {
        address: bracketed(ENDPOINTS.jobEvents.path),
        title: 'The events of a job',
        description:
          'Server-sent events: those that have happened, then those that happen; ends after the job has.',
        parameters: { id: { description: 'The id of the job' } },
        messages: { JobEvent: jobEvent },
      },
    },
    operations: operationsOf(names(fromRunner), names(fromServer)),
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'A runner secret or a session credential; for events of jobs an API token.',
        },
      },
      schemas: described.schemas(),
    },
  };
}

function withSchemas(frames: readonly [string, z.ZodType][]): {
  readonly refOf: (schema: z.ZodType) => Json;
  readonly schemas: () => Json;
} {
  const extra = Object.fromEntries(frames.map(([name, schema]) => [`${name}Frame`, schema]));
  // AsyncAPI reads draft 07 unless a message says otherwise.
  const document = documentSchemas({ server: 'jobforge', target: 'draft-7', extra });
  return { refOf: (schema) => ({ ...document.refOf(schema) }), schemas: () => document.schemas };
}
