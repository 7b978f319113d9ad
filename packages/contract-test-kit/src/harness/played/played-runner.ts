import { randomUUID } from 'node:crypto';
import { CONTRACT_VERSION_CURRENT } from '@controlplane/contracts';
import type { DeliveryKind } from '../../target/delivery.js';
import type { Exchange } from '../exchange.js';

/** One execution as the control plane handed it over. */
export interface PlayedOffer {
  readonly executionId: string;
  readonly jobId: string;
  readonly leaseToken: string | undefined;
  readonly attempt: number;
  readonly payload: unknown;
  readonly checkpoint: unknown;
}

/** What was answered to a claim or to events. */
export interface PlayedAnswer {
  /** Of the catalogue, where it was refused. */
  readonly code: string | undefined;
  /** The seq that was acknowledged. */
  readonly seq?: number | undefined;
  /** Where requests are made for it. */
  readonly exchange?: Exchange | undefined;
}

/** A runner that the kit plays over a link. */
export interface PlayedRunner {
  readonly runnerId: string;
  readonly capability: string;
  readonly registration: Readonly<Record<string, unknown>>;
  /** The reply to the registration. */
  readonly registered: unknown;
  /** The bearer of its requests; undefined where none is asked for. */
  readonly credential: string | undefined;
  /** The next execution that is offered; undefined when none comes in time. */
  offer(ms?: number): Promise<PlayedOffer | undefined>;
  accept(offer: PlayedOffer): Promise<PlayedAnswer>;
  tell(offer: PlayedOffer, ...events: readonly object[]): Promise<PlayedAnswer>;
  /** The first directive of a kind; undefined when none comes in time. */
  directive(kind: string, ms?: number): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** Leaves. What is said for that may take until `signal`; default: until the case is over. */
  close(signal?: AbortSignal): Promise<void>;
}

/**
 * What the kit's runner says of itself, by names that nobody else has.
 * @param changes - members of the registration, and `effects`, `supportedJobTypes` and `outputSchema` of its capability
 */
export function playedRegistration(
  kind: DeliveryKind,
  changes: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> & { readonly capability: string } {
  const id = randomUUID().slice(0, 13);
  const { effects = 'none', supportedJobTypes = [], outputSchema = {}, ...others } = changes;
  const capability = typeof changes['capability'] === 'string' ? changes['capability'] : `kit.${id}`;
  return {
    name: `kit-${id}`,
    version: '1.0.0',
    contractVersion: CONTRACT_VERSION_CURRENT,
    capabilities: [
      {
        id: capability,
        name: capability,
        version: '1.0.0',
        description: 'Played by the contract test kit.',
        inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
        outputSchema,
        supportedJobTypes,
        maxConcurrency: 4,
        effects,
      },
    ],
    instanceId: `kit-instance-${id}`,
    machineId: `kit-machine-${id}`,
    maxConcurrency: 4,
    delivery: { kind },
    ...others,
    capability,
  };
}

/** An event of an execution. */
export function playedEvent({ executionId }: PlayedOffer, seq: number, event: object): object {
  return { executionId, seq, at: new Date().toISOString(), ...event };
}

/** The end that says failure. */
export function failure(
  offer: PlayedOffer,
  { code, retryable, seq = 1 }: { readonly code: string; readonly retryable: boolean; readonly seq?: number },
): object {
  const error = {
    id: randomUUID(),
    timestamp: new Date().toISOString(),
    ...{ category: 'RUNTIME_ERROR', severity: 'error', details: [] },
    ...{ code, message: 'as the kit asked', service: 'contract-test-kit', retryable },
    contractVersion: { major: 1, minor: 0, patch: 0 },
  };
  return playedEvent(offer, seq, { type: 'failed', error, executionTimeMs: 1 });
}

/** The end that says success. */
export function success(offer: PlayedOffer, seq = 1): object {
  return playedEvent(offer, seq, { type: 'succeeded', data: { played: true }, executionTimeMs: 1 });
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** An offer as it came. */
export function readOffer(value: unknown): PlayedOffer {
  const offer = Object(value) as Readonly<Record<string, unknown>>;
  return {
    executionId: text(offer['executionId']) ?? '',
    jobId: text(offer['jobId']) ?? '',
    leaseToken: text(offer['leaseToken']),
    attempt: Number(offer['attempt'] ?? 1),
    payload: offer['payload'],
    checkpoint: offer['checkpoint'],
  };
}
