import type { Command } from 'commander';
import type { CliContext } from './cli-context.js';
import { CliFailure } from './cli-failure.js';
import { asClient, sessionOf, type Session, type ClientOptions } from './client-command.js';
import { failed, ok, type DoctorCheck } from './doctor-check.js';
import { checkFolder, checkPort } from './doctor-machine.js';
import { checkServer } from './doctor-server.js';
import { EXIT, type ExitCode } from './exit-code.js';
import { printJson } from './json-output.js';
import { printable } from './printable.js';
import { toned, type Terminal, type Tone } from './terminal.js';

interface DoctorOptions extends ClientOptions {
  readonly data?: string;
}

const MARKS: Readonly<Record<DoctorCheck['status'], readonly [mark: string, tone: Tone]>> = {
  ok: ['✓', 'good'],
  warning: ['!', 'warn'],
  failed: ['✗', 'bad'],
  skipped: ['-', 'dim'],
};

const LEAST_NODE = [20, 19] as const;

function checkNode(version: string): DoctorCheck {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor, leastMinor] = LEAST_NODE;
  return major > leastMajor || (major === leastMajor && minor >= leastMinor)
    ? ok('node', `Node ${version}`)
    : failed('node', `Node ${version} is too old`, `Install Node ${LEAST_NODE.join('.')} or later.`);
}

/** What is looked at, and how it ends: unreachable where nobody answers. */
async function examine(
  { client, context }: Session,
  data: string | undefined,
): Promise<{ readonly checks: DoctorCheck[]; readonly code: ExitCode }> {
  const { machine, now, version } = context;
  const checks = [
    checkNode(process.versions.node),
    ...(await checkFolder(machine, { path: data ?? './data', named: data !== undefined })),
  ];
  try {
    checks.push(...(await checkServer({ client, now, version })));
    const bad = checks.some(({ status }) => status === 'failed');
    return { checks, code: bad ? EXIT.failed : EXIT.ok };
  } catch (error) {
    if (!(error instanceof CliFailure)) throw error;
    const { message, remedy = '' } = error.envelope;
    checks.push(failed('server', message, remedy), await checkPort(machine, client.url));
    return { checks, code: error.exitCode };
  }
}

function printCheck(terminal: Terminal, { id, status, found, remedy }: DoctorCheck): void {
  const [mark, tone] = MARKS[status];
  terminal.out(`${toned(terminal, tone, mark)} ${id.padEnd(8)} ${printable(found)}`);
  if (remedy !== undefined) terminal.out(`  ${''.padEnd(8)} ${toned(terminal, 'dim', printable(remedy))}`);
}

function summaryOf(checks: readonly DoctorCheck[]): string {
  const count = (status: DoctorCheck['status']): number =>
    checks.filter((check) => check.status === status).length;
  const [bad, doubtful] = [count('failed'), count('warning')];
  if (bad === 0 && doubtful === 0) return 'nothing is wrong';
  return `${bad} failed, ${doubtful} ${doubtful === 1 ? 'warning' : 'warnings'}`;
}

/** `jobforge doctor` */
export function addDoctorCommand(
  program: Command,
  context: CliContext,
  settle: (code: ExitCode) => void,
): void {
  asClient(program.command('doctor'))
    .description('look for what is wrong, and say what to do about it')
    .option('--data <dir>', 'folder of the store, where it is on this machine (default: ./data)')
    .addHelpText(
      'after',
      `
Looks at this machine (Node, data folder, disk, port), at JobForge (store, clock, version, append-only
records) and at what it knows (runners that are offline or differ, jobs that wait,
tokens about to expire). Ends with 0 unless
something has failed: warnings are none. With --json: {"ok":…,"url":…,"checks":[{"id","status","found","remedy"}]}.`,
    )
    .action(async (options: DoctorOptions) => {
      const session = sessionOf(context, options);
      const { terminal, client, json } = session;
      const { checks, code } = await examine(session, options.data);
      settle(code);
      if (json) return printJson(terminal, 'doctor', { ok: code === EXIT.ok, url: client.url, checks });
      for (const check of checks) printCheck(terminal, check);
      terminal.out(toned(terminal, code === EXIT.ok ? 'strong' : 'bad', summaryOf(checks)));
    });
}
