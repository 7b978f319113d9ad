import { createErrorEnvelope } from '@controlplane/contracts';
import { createServer } from 'node:net';
import { isJobForgeError } from '../model/job-forge-error.js';
import { refused, type CliFailure } from './cli-failure.js';

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Says in one sentence why JobForge did not start, and with which flag it would. */
export async function startFailure(error: unknown, address: Address): Promise<CliFailure> {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reason = listenReason(code, address);
  if (reason !== undefined) return failure(code, reason);
  // Two of them in one folder meet at the store first: the port is what the second one has to change too.
  const taken =
    address.port !== 0 && (await isTaken(address)) ? ` ${listenReason('EADDRINUSE', address)}` : '';
  if (isJobForgeError(error)) {
    const { envelope } = error;
    return refused({ ...envelope, message: `${envelope.message}${taken}` });
  }
  const message = error instanceof Error ? error.message : String(error);
  return failure('START_FAILED', `${message}${taken}`);
}

function listenReason(code: string, { host, port }: Address): string | undefined {
  if (code === 'EADDRINUSE')
    return `Port ${port} on ${host} is taken: stop what listens there, or choose another with --port.`;
  if (code === 'EACCES')
    return `Port ${port} on ${host} may not be opened by this user: choose one above 1023 with --port.`;
  return code === 'EADDRNOTAVAIL'
    ? `${host} is no address of this machine: choose another with --host.`
    : undefined;
}

function failure(code: string, message: string): CliFailure {
  return refused(
    createErrorEnvelope({
      category: 'SERVICE_UNAVAILABLE',
      severity: 'error',
      code,
      message,
      service: 'jobforge-cli',
    }),
  );
}

function isTaken({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'EADDRINUSE'));
    probe.listen(port, host, () => probe.close(() => resolve(false)));
  });
}
