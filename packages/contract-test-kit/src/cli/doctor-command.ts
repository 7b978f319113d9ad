import { request } from 'node:http';
import { openSession } from '../harness/runner-session.js';
import { TargetUnreachable } from '../harness/target-unreachable.js';
import { startRecordingControlPlane } from '../harness/recording-control-plane.js';
import { startRunnerProcess } from '../harness/runner-process.js';
import { givenVariables } from '../target/target.js';
import { createRedactor } from '../reporters/redact-report.js';
import { printable } from '../reporters/report-words.js';
import { EXIT, UsageError } from './exit-codes.js';
import { parseRunOptions, type RunFlags } from './parse-flags.js';
import { parseTarget } from './parse-target.js';
import type { Terminal } from './terminal.js';

/** One thing that was looked at. */
interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What was found; for a check that is not ok also what to do. */
  readonly text: string;
}

const LOCAL_NAMES = ['node', 'processes', 'network'];

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const ok = major > 20 || (major === 20 && minor >= 19);
  return { name: 'node', ok, text: ok ? process.version : `${process.version}: install 20.19 or newer` };
}

/** What a command ends with that could be started. */
const EXPECTED_CODE = 7;

async function checkProcesses({ environment }: Terminal): Promise<Check> {
  const child = startRunnerProcess({ command: `exit ${EXPECTED_CODE}`, env: { ...environment } });
  const { code } = await child.ended;
  await child.stop();
  const ok = code === EXPECTED_CODE;
  return {
    name: 'processes',
    ok,
    text: ok
      ? '/bin/sh starts commands'
      : `/bin/sh does not start commands (code ${code}) ${printable(child.output())}: --command needs a POSIX shell`,
  };
}

function statusOf(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(url, { signal: AbortSignal.timeout(5_000) }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}

async function checkNetwork(): Promise<Check> {
  const name = 'network';
  try {
    const plane = await startRecordingControlPlane();
    try {
      await statusOf(plane.url);
    } finally {
      await plane.close();
    }
    return { name, ok: true, text: '127.0.0.1 can be listened on and reached' };
  } catch (error) {
    const { message } = error as Error;
    return { name, ok: false, text: `127.0.0.1 cannot be used (${message}): a firewall, or a sandbox?` };
  }
}

async function checkRunner(flags: RunFlags, { environment }: Terminal): Promise<Check[]> {
  const { startTimeoutMs = 20_000 } = parseRunOptions(flags);
  const target = parseTarget(flags, environment);
  if (target.kind === 'control-plane')
    throw new UsageError('doctor looks at runners: --url, --command or --image');
  const redact = createRedactor([environment, givenVariables(target)]);
  try {
    const session = await openSession({ target, environment, startTimeoutMs });
    const { description, controlPlane, urls, delivery } = session;
    const registered = controlPlane ? controlPlane.of('register').length > 0 : undefined;
    await session.close();
    const ids = description.capabilities.map(({ id }) => id);
    const fixtures = ids.filter((id) => id.startsWith('conformance.'));
    return [
      {
        name: 'runner',
        ok: true,
        text: delivery === 'push' ? `answers at ${urls.health}` : `dials in by ${delivery}`,
      },
      ...(registered === undefined
        ? []
        : [
            {
              name: 'registration',
              ok: registered,
              text: registered ? 'it registers' : 'it does not register at JOBFORGE_URL',
            },
          ]),
      {
        name: 'capabilities',
        ok: ids.length > 0,
        text:
          ids.length > 0
            ? redact(printable(`${ids.join(', ')} (from its ${description.source})`))
            : 'none are known: register, or serve GET /manifest',
      },
      {
        name: 'fixtures',
        ok: true,
        text:
          fixtures.length > 0
            ? redact(printable(fixtures.join(', ')))
            : 'none: what needs conformance.* is not judged',
      },
      {
        name: 'features',
        ok: true,
        text: redact(printable(description.features.join(', '))) || 'none declared',
      },
    ];
  } catch (error) {
    if (!(error instanceof TargetUnreachable)) throw error;
    return [{ name: 'runner', ok: false, text: redact(printable(error.message)) }];
  }
}

/**
 * `contract-test doctor`: whether the kit can work on this machine and, where a runner is named, whether it can be
 * judged. Exits 3 for the machine, 4 for the runner.
 */
export async function doctorCommand(flags: RunFlags, terminal: Terminal): Promise<number> {
  const { url, command, image } = flags;
  const namesRunner = [url, command, image].some((one) => one !== undefined);
  if (namesRunner) parseTarget(flags, terminal.environment);
  const checks = [checkNode(), await checkProcesses(terminal), await checkNetwork()];
  if (namesRunner && checks.every(({ ok }) => ok)) checks.push(...(await checkRunner(flags, terminal)));
  const broken = checks.filter(({ ok }) => !ok);
  if (flags.json) terminal.out(`${JSON.stringify({ ok: broken.length === 0, checks }, null, 2)}\n`);
  else
    for (const { name, ok, text } of checks) terminal.out(`  ${ok ? '✓' : '✗'} ${name.padEnd(13)} ${text}\n`);
  if (broken.length === 0) return EXIT.conformant;
  return broken.some(({ name }) => LOCAL_NAMES.includes(name)) ? EXIT.kitFault : EXIT.unreachable;
}
