import { createErrorEnvelope, type ErrorEnvelope } from '@controlplane/contracts';
import { EXIT, type ExitCode } from './exit-code.js';

/** Ends the command with an exit code and, where there is one, an envelope that says why. */
export class CliFailure extends Error {
  override readonly name = 'CliFailure';
  readonly exitCode: ExitCode;
  readonly envelope: ErrorEnvelope;
  /** Said behind the error in text, such as `nothing was queued`. */
  readonly aside: string | undefined;

  constructor(exitCode: ExitCode, envelope: ErrorEnvelope, aside?: string) {
    super(envelope.message);
    this.exitCode = exitCode;
    this.envelope = envelope;
    this.aside = aside;
  }
}

/** What was asked was understood and refused. */
export function refused(envelope: ErrorEnvelope, aside?: string): CliFailure {
  return new CliFailure(EXIT.failed, envelope, aside);
}

/** The command line cannot be understood. */
export function misused(message: string, remedy?: string): CliFailure {
  return new CliFailure(
    EXIT.usage,
    local({ category: 'VALIDATION_ERROR', code: 'USAGE_ERROR', message, ...(remedy ? { remedy } : {}) }),
  );
}

/** What came is not what was announced. */
export function damaged(message: string, remedy: string): CliFailure {
  return new CliFailure(
    EXIT.failed,
    local({ category: 'NETWORK_ERROR', code: 'DOWNLOAD_DAMAGED', message, remedy, retryable: true }),
  );
}

/** What was asked for is not there. */
export function failed(code: string, message: string, remedy: string): CliFailure {
  return new CliFailure(EXIT.failed, local({ category: 'RESOURCE_NOT_FOUND', code, message, remedy }));
}

/** Nobody answers as JobForge does. */
export function unreachable(message: string): CliFailure {
  return new CliFailure(
    EXIT.unreachable,
    local({
      category: 'NETWORK_ERROR',
      code: 'JOBFORGE_UNREACHABLE',
      message,
      remedy: 'Start it with `jobforge dev`, or name another with --url or JOBFORGE_URL.',
      retryable: true,
    }),
  );
}

type Local = Pick<ErrorEnvelope, 'category' | 'code' | 'message'> &
  Partial<Pick<ErrorEnvelope, 'remedy' | 'retryable'>>;

function local(error: Local): ErrorEnvelope {
  return createErrorEnvelope({ severity: 'error', service: 'jobforge-cli', ...error });
}
