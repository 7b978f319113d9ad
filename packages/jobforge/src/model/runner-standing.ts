import type { SessionCredential } from '@controlplane/contracts';
import type { JobForgeError } from './job-forge-error.js';

/** What a runner's being here rests on. */
export interface Grounds {
  /** The enrollment token that it registered with. */
  readonly token?: string | undefined;
  /** Else which of its secrets. */
  readonly secretId?: string | undefined;
}

/** Why a runner may not stay. */
export interface StandingEnd {
  readonly error: JobForgeError;
  /** It may have something better to prove itself with: it is asked before it is cut off. */
  readonly mayRenew: boolean;
}

/** Whether a runner that has registered may stay. */
export interface RunnerStanding {
  readonly grounds: Grounds;
  /** Undefined while all is well. Cheap: asked of every runner every second. */
  end(): StandingEnd | undefined;
  /** What it proves itself with is to end although it is good yet: the runner had better register again. */
  isToRenew(): boolean;
  /** A session credential to be sent with the answer to a beat; undefined where the last one will do. */
  slide(): SessionCredential | undefined;
}
