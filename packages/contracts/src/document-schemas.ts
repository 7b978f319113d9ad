import { z } from 'zod';
import type { Endpoint } from './endpoint.js';
import { ENDPOINTS } from './endpoints.js';
import { ErrorEnvelope } from './error-envelope.js';
import { CONTRACT_SCHEMAS } from './json-schema.js';

/** What an error looks like on every endpoint. */
export const REFUSAL = z.object({ success: z.literal(false), error: ErrorEnvelope });

/** JSON Schemas by name, as the documents of an API list them, and how to point at one of them. */
export interface DocumentSchemas {
  readonly schemas: Readonly<Record<string, Record<string, unknown>>>;
  refOf(schema: z.ZodType): { readonly $ref: string };
}

export type DocumentServer = Endpoint['server'];

const upper = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1)}`;

/** The endpoints of one server by name, in the order of the table. */
export function endpointsOf(server: DocumentServer): [name: string, endpoint: Endpoint][] {
  return Object.entries(ENDPOINTS as Record<string, Endpoint>).filter(([, row]) => row.server === server);
}

function namesOf(server: DocumentServer, extra: Readonly<Record<string, z.ZodType>>): Map<z.ZodType, string> {
  const names = new Map<z.ZodType, string>();
  for (const [name, schema] of Object.entries({ ...CONTRACT_SCHEMAS, Refusal: REFUSAL, ...extra }))
    names.set(schema, name);
  for (const [name, { request, response }] of endpointsOf(server)) {
    if (request !== undefined && !names.has(request)) names.set(request, `${upper(name)}Request`);
    if (!names.has(response)) names.set(response, `${upper(name)}Response`);
  }
  return names;
}

/** Names that a schema points at, directly. */
function referencesOf(schema: unknown, prefix: string): string[] {
  return [...JSON.stringify(schema).matchAll(/"\$ref":"([^"]+)"/g)].flatMap(([, ref = '']) =>
    ref.startsWith(prefix) ? [ref.slice(prefix.length)] : [],
  );
}

export interface DocumentSchemaOptions {
  readonly server: DocumentServer;
  readonly target: 'draft-2020-12' | 'draft-7';
  /** Further schemas, by name. */
  readonly extra?: Readonly<Record<string, z.ZodType>>;
}

const PREFIX = '#/components/schemas/';

/** The schemas that were pointed at, and those that they point at. */
function reachable(
  all: Readonly<Record<string, Record<string, unknown>>>,
  wanted: ReadonlySet<string>,
): Record<string, Record<string, unknown>> {
  const found = new Set(wanted);
  for (const name of found) for (const next of referencesOf(all[name], PREFIX)) found.add(next);
  return Object.fromEntries(
    [...found].toSorted().flatMap((name) => {
      const schema = all[name];
      return schema === undefined ? [] : [[name, schema] as const];
    }),
  );
}

/**
 * The JSON Schemas of what crosses the wire, as messages are sent, each pointing at the others by name. Only those are
 * listed that are pointed at: read `schemas` last.
 */
export function documentSchemas({ server, target, extra = {} }: DocumentSchemaOptions): DocumentSchemas {
  const names = namesOf(server, extra);
  const registry = z.registry<{ id: string }>();
  for (const [schema, id] of names) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    io: 'input',
    target,
    uri: (id) => `${PREFIX}${id}`,
    override: ({ jsonSchema }) => {
      // "Now" is a default, but no constant: a document made from it would change with each run.
      if (jsonSchema.format === 'date-time') delete jsonSchema.default;
    },
  });
  const all = Object.fromEntries(
    Object.entries(schemas).map(([name, { $id: _id, $schema: _schema, ...schema }]) => [
      name,
      schema as Record<string, unknown>,
    ]),
  );
  const wanted = new Set<string>();
  return {
    get schemas() {
      return reachable(all, wanted);
    },
    refOf(schema) {
      const name = names.get(schema);
      if (name === undefined) throw new RangeError('a schema has no name in the document');
      wanted.add(name);
      return { $ref: `${PREFIX}${name}` };
    },
  };
}
