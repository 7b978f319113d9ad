import type { RunnerRegistrationResponse, SessionCredential } from '@controlplane/contracts';
import type { Clock } from '../../util/clock.js';
import { sayThrown } from '../../util/safe-json.js';
import {
  checkSendable,
  isSendable,
  MALFORMED,
  readSource,
  type CredentialSource,
} from '../credential-source.js';
import { fileNameOf, type StateFiles } from '../state-files.js';

/** What a runner proves itself with at one control plane. Nothing of it is ever logged. */
export interface Credentials {
  /**
   * The `authorization` header of a registration: the secret that an earlier one brought, else what the program or
   * the environment says, read anew.
   * @throws Error when the file or function that it comes from fails; the message holds nothing of it
   */
  forRegistration(): Promise<string | undefined>;
  /** The header of every other request: the session's credential while it lasts, else that of the registration. */
  current(): string | undefined;
  /** Takes over what a registration or a heartbeat brought. */
  take(reply: Pick<RunnerRegistrationResponse, 'sessionCredential' | 'runnerSecret'>): void;
  /**
   * The control plane refused a registration: what it did not take is not used again.
   * @returns whether another credential is left to be tried
   */
  refused(code: string): boolean;
  /** The session is not taken any more: until a registration brings another, there is none. */
  forgetSession(): void;
  /** Resolves when what is to be kept is. */
  flush(): Promise<void>;
}

/** What credentials are made of. */
export interface CredentialsOptions {
  readonly source: CredentialSource | undefined;
  readonly controlPlaneUrl: string;
  readonly state: StateFiles | undefined;
  readonly clock: Clock;
  /** A credential could not be kept or used, in words. */
  readonly onProblem: (message: string) => void;
}

const header = (token: string | undefined): string | undefined =>
  token === undefined || token === '' ? undefined : `Bearer ${token}`;

/** Makes the credentials of one runner at one control plane. */
export function createCredentials(options: CredentialsOptions): Credentials {
  const { source, state, clock, onProblem } = options;
  const file = `secrets/${fileNameOf(options.controlPlaneUrl)}`;
  let isLoaded = false;
  let secret: string | undefined;
  let used: string | undefined;
  let session: SessionCredential | undefined;
  let keeping: Promise<void> = Promise.resolve();

  async function loadSecret(): Promise<void> {
    if (isLoaded) return;
    isLoaded = true;
    try {
      secret ??= checkSendable(await state?.read(file), 'its file') || undefined;
    } catch (error) {
      onProblem(`the runner secret in the state directory cannot be used: ${sayThrown(error)}`);
    }
  }

  function keep(runnerSecret: string): void {
    // In order: of two that are written at once, the older one could stay.
    keeping = keeping
      .then(() => state?.write(file, runnerSecret))
      .catch((error: unknown) =>
        onProblem(`the runner secret cannot be kept in the state directory: ${sayThrown(error)}`),
      );
  }

  return {
    async forRegistration() {
      await loadSecret();
      used = secret ?? (await readSource(source));
      return header(used);
    },
    current() {
      const lasts = session !== undefined && Date.parse(session.expiresAt) > clock.now();
      return header(lasts ? session?.token : used);
    },
    take({ sessionCredential, runnerSecret }) {
      const given = [sessionCredential?.token, runnerSecret].filter((one) => one !== undefined);
      if (!given.every(isSendable)) return onProblem(`what the control plane gave holds ${MALFORMED}`);
      if (sessionCredential) session = sessionCredential;
      if (runnerSecret === undefined) return;
      secret = runnerSecret;
      used = runnerSecret;
      keep(runnerSecret);
    },
    refused(code) {
      if (!/^(CREDENTIAL|TOKEN|SESSION)_/.test(code)) return false;
      session = undefined;
      if (code === 'SESSION_EXPIRED') return true;
      const wasSecret = secret !== undefined && used === secret;
      if (!wasSecret || source === undefined) return false;
      // Its file stays until another is given: whoever refused it may be the wrong one to ask.
      secret = undefined;
      return true;
    },
    forgetSession() {
      session = undefined;
    },
    flush: () => keeping,
  };
}
