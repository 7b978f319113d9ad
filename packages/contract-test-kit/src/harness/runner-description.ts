import { RunnerManifest, RunnerRegistrationRequest, type RunnerCapability } from '@controlplane/contracts';
import type { Exchange } from './exchange.js';
import type { RecordedMessage } from './recorded-message.js';
import type { RunnerUrls } from './runner-client.js';

/** What a runner says of itself, as far as it could be read. */
export interface RunnerDescription {
  readonly name: string | undefined;
  readonly version: string | undefined;
  readonly capabilities: readonly RunnerCapability[];
  readonly features: readonly string[];
  readonly maxConcurrency: number | undefined;
  /** Where that was read. */
  readonly source: 'manifest' | 'registration' | 'nowhere';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function httpUrl(value: unknown): URL | undefined {
  return typeof value === 'string' && URL.canParse(value) && /^https?:/.test(value)
    ? new URL(value)
    : undefined;
}

/** The URLs that a registration names; undefined when its health endpoint is no URL. */
export function urlsOfRegistration(registration: unknown): RunnerUrls | undefined {
  if (!isObject(registration)) return undefined;
  const health = httpUrl(registration['healthCheckEndpoint']);
  if (!health) return undefined;
  const delivery = registration['delivery'];
  const execute =
    (isObject(delivery) ? httpUrl(delivery['executeUrl']) : undefined) ?? new URL('execute', health);
  return { root: new URL('.', execute).href, health: health.href, execute: execute.href };
}

/** The URLs of a runner whose root is known. */
export function urlsOfRoot(root: string): RunnerUrls {
  const base = root.endsWith('/') ? root : `${root}/`;
  return { root: base, health: new URL('health', base).href, execute: new URL('execute', base).href };
}

/** Reads the manifest, else the registration. */
export function describeRunner(
  manifest: Exchange | undefined,
  registration: RecordedMessage | undefined,
): RunnerDescription {
  const served = RunnerManifest.safeParse(manifest?.status === 200 ? manifest.json : undefined).data;
  const registered = RunnerRegistrationRequest.safeParse(registration?.json).data;
  const source = served ?? registered;
  if (!source)
    return {
      name: undefined,
      version: undefined,
      capabilities: [],
      features: [],
      maxConcurrency: undefined,
      source: 'nowhere',
    };
  const { name, version, capabilities, maxConcurrency } = source;
  const features = [...new Set([...(served?.features ?? []), ...(registered?.features ?? [])])];
  return {
    name,
    version,
    capabilities,
    features,
    maxConcurrency,
    source: served ? 'manifest' : 'registration',
  };
}
