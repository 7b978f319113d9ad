/**
 * @module
 * What a case is: the deed that judges one requirement. A case ends by returning (kept), or by throwing
 * Mismatch, NotApplicable or NotEvaluable; anything else that it throws is the kit's own fault.
 */
import type { RunnerCapability } from '@controlplane/contracts';
import type { RunnerClient } from '../harness/runner-client.js';
import type { ControlPlaneScript } from '../harness/recording-control-plane.js';
import type { RunnerSession } from '../harness/runner-session.js';

/** A capability to call, with an input that its schema accepts. */
export interface Subject {
  readonly capability: RunnerCapability;
  readonly input: Readonly<Record<string, unknown>>;
  /** It writes, and may be called with this input alone. */
  readonly fixed: boolean;
}

/** A runner and a client that speaks to it while the case runs. */
export interface JudgedRunner extends RunnerSession {
  readonly client: RunnerClient;
}

export interface StartOptions {
  readonly script?: ControlPlaneScript;
  readonly awaitRegistration?: boolean;
  /** Added to the environment that the runner gets. */
  readonly env?: Readonly<Record<string, string>>;
  /** The port and the control plane of an earlier life of the runner, which has ended: it starts again there. */
  readonly after?: RunnerSession;
  /** A runner that ends while it starts is no fault. */
  readonly mayEnd?: boolean;
}

export interface CaseContext {
  /** The runner that all cases share. */
  readonly runner: JudgedRunner;
  readonly signal: AbortSignal;
  /** Of whatever a case leaves to chance. */
  readonly seed: number;
  /** A runner of the case's own, stopped when the case ends. Throws NotApplicable for a URL. */
  startRunner(options?: StartOptions): Promise<JudgedRunner>;
  /** The capability to try things on: `conformance.echo`, else the first that does not write. */
  subject(): Subject;
  /** Every capability that may be called, with a valid input each. */
  subjects(): readonly Subject[];
  /** A fixture capability. Throws NotEvaluable when the runner does not offer it. */
  fixture(id: string): RunnerCapability;
}

export interface Case {
  /** Id of the requirement that it judges. */
  readonly id: string;
  /** Runs alone on the shared runner, because it fills its slots. */
  readonly alone?: boolean;
  /** Milliseconds that it takes at least on a runner that keeps the requirement, where that is long. */
  readonly leastMs?: number;
  readonly judge: (context: CaseContext) => Promise<void> | void;
}
