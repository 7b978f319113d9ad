/**
 * @module
 * Judging a whole runner: which requirements, in which order, with which runner, and what the outcomes
 * mean together. Imports every room but cli and reporters' texts.
 */
import type { KnownFailure } from '../baseline/known-failures.js';
import type { Profile } from '../requirements/requirement.js';
import type { DeliveryKind } from '../target/delivery.js';

/** Options of {@link runContract}; every one has a default. */
export interface RunContractOptions {
  /** Ids or globs of requirements. Default: all. */
  readonly run?: readonly string[] | undefined;
  /** Default: all. */
  readonly profiles?: readonly Profile[] | undefined;
  /**
   * How the runner is to be reached: it is started with RUNNER_DELIVERY. With `all` it is judged over each delivery
   * that it registers with when told to. Default: what it registers with by itself.
   */
  readonly delivery?: DeliveryKind | 'all' | undefined;
  /** Milliseconds that one case may take. Default: 20 000. */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds until the runner must answer after its start. Default: 20 000. */
  readonly startTimeoutMs?: number | undefined;
  /** Seed of generated inputs and of the cases' order. Default: 1. */
  readonly seed?: number | undefined;
  /** Warnings, and what could not be judged, break conformance too. Default: false. */
  readonly strict?: boolean | undefined;
  /** Inputs to call capabilities with, by capability id. Default: made from their schemas. */
  readonly inputs?: Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined;
  /** Capabilities with effects `writes` that may be called with made-up inputs too, by id. Default: none. */
  readonly allowWrites?: readonly string[] | undefined;
  /** Capabilities that are never called, by id. Default: none. */
  readonly leaveOut?: readonly string[] | undefined;
  /** Failures that do not fail the run until they expire. Default: none. */
  readonly knownFailures?: readonly KnownFailure[] | undefined;
  /** Told after each case how many are done, of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Environment that a started runner inherits. Default: the kit's own. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
}

export interface ResolvedRunOptions {
  readonly delivery: DeliveryKind | 'all' | undefined;
  readonly timeoutMs: number;
  readonly startTimeoutMs: number;
  readonly seed: number;
  readonly strict: boolean;
  readonly inputs: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly allowWrites: readonly string[];
  readonly leaveOut: readonly string[];
  readonly knownFailures: readonly KnownFailure[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly onProgress: (done: number, total: number) => void;
}

/** Fills the defaults in. */
export function resolveRunOptions(options: RunContractOptions): ResolvedRunOptions {
  return {
    delivery: options.delivery,
    timeoutMs: options.timeoutMs ?? 20_000,
    startTimeoutMs: options.startTimeoutMs ?? 20_000,
    seed: options.seed ?? 1,
    strict: options.strict ?? false,
    inputs: options.inputs ?? {},
    allowWrites: options.allowWrites ?? [],
    leaveOut: options.leaveOut ?? [],
    knownFailures: options.knownFailures ?? [],
    environment: options.environment ?? process.env,
    onProgress: options.onProgress ?? (() => {}),
  };
}
