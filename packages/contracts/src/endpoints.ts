import type { z } from 'zod';
import { ACCESS_ENDPOINTS } from './access-endpoints.js';
import { ARTIFACT_ENDPOINTS } from './artifact-endpoints.js';
import type { Endpoint } from './endpoint.js';
import { FILE_ENDPOINTS } from './file-endpoints.js';
import { JOB_ENDPOINTS } from './job-endpoints.js';
import { PROBE_ENDPOINTS } from './probe-endpoints.js';
import { REGISTRY_ENDPOINTS } from './registry-endpoints.js';
import { RUNNER_CONTROL_ENDPOINTS } from './runner-control-endpoints.js';
import { RUNNER_ENDPOINTS } from './runner-endpoints.js';
import { SECRET_ENDPOINTS } from './secret-endpoints.js';
import { WEBHOOK_ENDPOINTS } from './webhook-endpoints.js';
import { TRAIL_ENDPOINTS } from './trail-endpoints.js';

/** Every endpoint of the contract, by name. */
export const ENDPOINTS = {
  ...RUNNER_ENDPOINTS,
  ...REGISTRY_ENDPOINTS,
  ...RUNNER_CONTROL_ENDPOINTS,
  ...JOB_ENDPOINTS,
  ...ARTIFACT_ENDPOINTS,
  ...FILE_ENDPOINTS,
  ...SECRET_ENDPOINTS,
  ...WEBHOOK_ENDPOINTS,
  ...TRAIL_ENDPOINTS,
  ...ACCESS_ENDPOINTS,
  ...PROBE_ENDPOINTS,
} as const satisfies Record<string, Endpoint>;

export type EndpointName = keyof typeof ENDPOINTS;

/** What a caller sends to an endpoint. */
export type RequestOf<Name extends EndpointName> = (typeof ENDPOINTS)[Name] extends {
  request: infer Schema extends z.ZodType;
}
  ? z.input<Schema>
  : undefined;

/** What an endpoint answers, as the caller reads it. */
export type ResponseOf<Name extends EndpointName> = z.output<(typeof ENDPOINTS)[Name]['response']>;

/**
 * The path of an endpoint with its parameters filled in.
 * @param name - the endpoint
 * @param params - a value for each `:name` of its path; percent-encoded here
 * @throws RangeError when a parameter is missing
 */
export function endpointPath(name: EndpointName, params: Readonly<Record<string, string>> = {}): string {
  return ENDPOINTS[name].path.replace(/:([A-Za-z0-9]+)/g, (_, key: string) => {
    const value = params[key];
    if (value === undefined)
      throw new RangeError(`endpoint ${name} needs the parameter "${key}" for ${ENDPOINTS[name].path}`);
    return encodeURIComponent(value);
  });
}
