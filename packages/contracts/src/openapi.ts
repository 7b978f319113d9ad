import { z } from 'zod';
import { documentSchemas, endpointsOf, REFUSAL } from './document-schemas.js';
import type { DocumentSchemas, DocumentServer } from './document-schemas.js';
import type { Endpoint, EndpointAuth } from './endpoint.js';
import { CONTRACT_VERSION_CURRENT, serializeVersion } from './version.js';

type Json = Record<string, unknown>;

export interface ApiDocumentOptions {
  /** Version of what serves the API. Default: that of the contract. */
  readonly version?: string;
}

const ABOUT: Record<DocumentServer, { readonly title: string; readonly description: string }> = {
  jobforge: {
    title: 'JobForge',
    description: 'The control plane: takes jobs, gives each to a runner, and sees it through to one end.',
  },
  runner: {
    title: 'Runner',
    description: 'What a runner serves: health, its manifest, and the execution of what it is sent.',
  },
};

const TAGS: readonly (readonly [prefix: string, name: string, description: string])[] = [
  ['/jobs', 'jobs', 'What clients submit, and what becomes of it'],
  ['/runners', 'runners', 'Who runs jobs'],
  ['/execut', 'executions', 'One attempt of a job on one runner'],
  ['/manifest', 'runners', 'Who runs jobs'],
];
const OTHER_TAG = ['operations', 'For whatever watches over it, and for those who run it'] as const;

function tagOf(path: string): readonly [name: string, description: string] {
  const found = TAGS.find(([prefix]) => path.startsWith(prefix));
  return found === undefined ? OTHER_TAG : [found[1], found[2]];
}

const WHO: Record<EndpointAuth, string> = {
  none: 'Whoever asks.',
  enroll: 'An enrollment token, a runner secret or a session credential.',
  runner: 'A credential of the runner that it is about.',
  read: 'An API token of any role.',
  submit: 'An API token of the role `submit` or `admin`.',
  admin: 'An API token of the role `admin`.',
  any: 'Any credential.',
  dispatch: 'A signature by the key that the registration brought, where it brought one.',
};

function securityOf(auth: EndpointAuth): Json[] {
  if (auth === 'none') return [];
  return auth === 'dispatch' ? [{}, { dispatchSignature: [] }] : [{ bearer: [] }];
}

const SECURITY_SCHEMES: Json = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description: 'An API token, an enrollment token, a runner secret or a session credential.',
  },
  dispatchSignature: {
    type: 'apiKey',
    in: 'header',
    name: 'webhook-signature',
    description: 'By the Standard Webhooks scheme, beside `webhook-id` and `webhook-timestamp`.',
  },
};

const SCHEMES_OF: Record<DocumentServer, readonly string[]> = {
  jobforge: ['bearer'],
  runner: ['dispatchSignature'],
};

function pathParameters(path: string): Json[] {
  return [...path.matchAll(/:([A-Za-z0-9]+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function queryParameters(query: z.ZodType | undefined): Json[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = z.toJSONSchema(query, { io: 'input' });
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
}

function replyContent({ stream, media, response }: Endpoint, { refOf }: DocumentSchemas): Json {
  const isJson = (type: string): boolean => type === 'application/json';
  const types = media ?? [stream === 'sse' ? 'text/event-stream' : 'application/json'];
  return Object.fromEntries(
    types.map((type) => [
      type,
      { schema: isJson(type) ? refOf(response) : { type: 'string', contentMediaType: type } },
    ]),
  );
}

function responsesOf(endpoint: Endpoint, schemas: DocumentSchemas): Json {
  const refusal = { 'application/json': { schema: schemas.refOf(REFUSAL) } };
  const content = endpoint.status === 101 ? {} : { content: replyContent(endpoint, schemas) };
  return {
    [endpoint.status]: { description: 'All is well', ...content },
    '4XX': { description: 'Refused: the envelope says why, and what to do', content: refusal },
    '5XX': { description: 'Not possible now, or at all: the envelope says why', content: refusal },
  };
}

function operationOf([name, endpoint]: readonly [string, Endpoint], schemas: DocumentSchemas): Json {
  const { path, request, query, summary, auth } = endpoint;
  const parameters = [...pathParameters(path), ...queryParameters(query)];
  return {
    operationId: name,
    summary,
    description: `For: ${WHO[auth]}`,
    tags: [tagOf(path)[0]],
    security: securityOf(auth),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(request === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: schemas.refOf(request) } },
          },
        }),
    responses: responsesOf(endpoint, schemas),
  };
}

/**
 * The OpenAPI 3.1 document of what a server answers, made from the ENDPOINTS table and the contract's schemas.
 * @param server - whose endpoints
 */
export function openApiDocument(server: DocumentServer, options: ApiDocumentOptions = {}): Json {
  const schemas = documentSchemas({ server, target: 'draft-2020-12' });
  const rows = endpointsOf(server);
  const paths: Record<string, Json> = {};
  for (const [name, endpoint] of rows) {
    const path = endpoint.path.replaceAll(/:([A-Za-z0-9]+)/g, '{$1}');
    const item = (paths[path] ??= {});
    item[endpoint.method.toLowerCase()] = operationOf([name, endpoint], schemas);
  }
  const tags = new Map(rows.map(([, { path }]) => tagOf(path)));
  const schemes = SCHEMES_OF[server].map((name) => [name, SECURITY_SCHEMES[name]] as const);
  return {
    openapi: '3.1.0',
    info: {
      ...ABOUT[server],
      version: options.version ?? serializeVersion(CONTRACT_VERSION_CURRENT),
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'Where this document was served' }],
    tags: [...tags].map(([name, description]) => ({ name, description })),
    paths,
    components: { securitySchemes: Object.fromEntries(schemes), schemas: schemas.schemas },
  };
}
