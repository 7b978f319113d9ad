import { setMaxListeners } from 'node:events';
import type { DrainCertificate } from '../drain/drain-certificate.js';
import { renderDrain } from '../drain/drain-certificate.js';
import { measureDrain } from '../drain/measure-drain.js';
import { openSession } from '../harness/runner-session.js';
import { createSessionClient } from '../harness/session-client.js';
import { isStarted } from '../target/target.js';
import { EXIT, UsageError } from './exit-codes.js';
import { parseRunOptions, type RunFlags } from './parse-flags.js';
import { parseTarget } from './parse-target.js';
import type { Terminal } from './terminal.js';

const FIXTURE = 'conformance.sleep';
/** More than a drain and all that is before it take. */
const LIMIT_MS = 60_000;

/** Which capability is drained: the one that an input is given for, else the fixture that sleeps. */
function chosenWork(flags: RunFlags, offered: readonly string[]) {
  const [given] = Object.entries(parseRunOptions(flags).inputs ?? {});
  const [capabilityId, input] = given ?? [FIXTURE, undefined];
  if (offered.includes(capabilityId)) return { capabilityId, input };
  throw new UsageError(
    `the runner does not offer ${capabilityId} (it offers ${offered.join(', ') || 'nothing'}); offer that, or name work that takes a while: --input 'ID={…}'`,
  );
}

/**
 * `contract-test drain`: tells a runner to stop while it works, and says what came of its work. Exits 1 when anything
 * was lost, duplicated or late, or the runner did not end.
 */
export async function drainCommand(flags: RunFlags, terminal: Terminal): Promise<number> {
  const target = parseTarget(flags, terminal.environment);
  if (!isStarted(target))
    throw new UsageError(
      'drain takes --command or --image: the kit must hold the process that it tells to stop',
    );
  const { startTimeoutMs = 20_000 } = parseRunOptions(flags);
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, AbortSignal.timeout(LIMIT_MS + startTimeoutMs)]);
  // Each execution listens for the end of all.
  setMaxListeners(0, signal);
  const session = await openSession({ target, environment: terminal.environment, startTimeoutMs });
  let certificate: DrainCertificate;
  try {
    const offered = session.description.capabilities.map(({ id }) => id);
    const client = createSessionClient(session, { signal, onExchange: () => {} });
    certificate = await measureDrain({ ...session, client }, { ...chosenWork(flags, offered), signal });
  } finally {
    over.abort();
    await session.close();
  }
  terminal.out(flags.json ? `${JSON.stringify(certificate, null, 2)}\n` : renderDrain(certificate));
  return certificate.ok ? EXIT.conformant : EXIT.notConformant;
}
