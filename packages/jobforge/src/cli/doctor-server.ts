import type { ChainReport, HealthCheck, JobResponse } from '@controlplane/contracts';
import type { ApiClient } from './api-client.js';
import { CliFailure } from './cli-failure.js';
import { failed, ok, skipped, warning, type DoctorCheck } from './doctor-check.js';
import { checkRunners } from './doctor-runners.js';
import { checkTokens } from './doctor-tokens.js';
import { spoken } from './durations.js';

/** Signatures are refused beyond five minutes: long before that something is wrong. */
const CLOCK_WARNING_MS = 5_000;
const CLOCK_FAILED_MS = 5 * 60_000;
/** A job that waits longer than this for a runner is worth a word. */
const STUCK_MS = 60_000;
const MAX_PAGES = 5;

export interface ServerFacts {
  readonly client: ApiClient;
  readonly now: () => number;
  /** Of this command. */
  readonly version: string;
}

/** Compares the clocks; what lies between question and answer is given to neither. */
export function checkClock(
  { timestamp }: HealthCheck,
  { askedAt, answeredAt }: { readonly askedAt: number; readonly answeredAt: number },
): DoctorCheck {
  const theirs = Date.parse(timestamp);
  const drift = theirs < askedAt ? askedAt - theirs : Math.max(0, theirs - answeredAt);
  const words = `JobForge’s clock and this machine’s differ by ${spoken(drift)}`;
  const remedy = 'Set both clocks by a time server, such as `timedatectl set-ntp true`.';
  if (drift > CLOCK_FAILED_MS) return failed('clock', words, remedy);
  return drift > CLOCK_WARNING_MS ? warning('clock', words, remedy) : ok('clock', 'the clocks agree');
}

function checkHealth({ status, checks }: HealthCheck): DoctorCheck[] {
  return checks
    .map(({ name, status: state, message = state }) =>
      state === 'healthy'
        ? ok(name, `${name} is healthy`)
        : failed(
            name,
            `${name} is ${state}: ${message}`,
            'Look at the disk, the database and the permissions of the data folder.',
          ),
    )
    .concat(
      status === 'healthy' || checks.length > 0
        ? []
        : [failed('health', `JobForge is ${status}`, 'Read its log.')],
    );
}

function checkVersion({ version }: HealthCheck, own: string): DoctorCheck {
  return version === own
    ? ok('version', `version ${version}`)
    : warning(
        'version',
        `JobForge is ${version}, this command is ${own}`,
        'Use the command of the same version: `npx @controlplane/jobforge@' + version + '`.',
      );
}

/** The oldest job that waits for a runner, as far as it is looked for. */
async function oldestWaiting(client: ApiClient): Promise<JobResponse | undefined> {
  let oldest: JobResponse | undefined;
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const { items, nextCursor } = await client.call('listJobs', {
      query: { status: 'queued', limit: '1000', cursor },
    });
    oldest = items.at(-1) ?? oldest;
    if (nextCursor === undefined) break;
    cursor = nextCursor;
  }
  return oldest;
}

async function checkJobs({ client, now }: ServerFacts): Promise<DoctorCheck> {
  const oldest = await oldestWaiting(client);
  if (oldest === undefined) return ok('jobs', 'no job waits for a runner');
  const waited = now() - Date.parse(oldest.updatedAt);
  const since = `the oldest job that waits for a runner has waited ${spoken(Math.max(0, waited))}`;
  if (waited < STUCK_MS) return ok('jobs', since);
  const { waitingFor } = await client.call('showJob', { params: { id: oldest.id } });
  return warning(
    'jobs',
    `${since}: ${oldest.id}${waitingFor === undefined ? '' : ` (${waitingFor})`}`,
    `\`jobforge job show ${oldest.id}\` says what it waits for; start a runner that offers it, or more of them.`,
  );
}

function checkChains(chains: readonly ChainReport[]): DoctorCheck {
  const broken = chains.filter((chain) => !chain.ok);
  if (broken.length === 0) {
    const links = chains.reduce((sum, chain) => sum + chain.links, 0);
    return ok('records', `${links} links of ${chains.length} append-only records hold`);
  }
  const words = broken.map(
    ({ chain, brokenAt, reason }) => `${chain} at ${brokenAt ?? '?'}: ${reason ?? 'broken'}`,
  );
  return failed(
    'records',
    `what was written once was changed: ${words.join('; ')}`,
    'Restore the store from a backup, and find out who could write to it.',
  );
}

/** Runs a check; where JobForge refuses to tell, the check says so. */
async function asked(id: string, check: () => Promise<DoctorCheck[]>): Promise<DoctorCheck[]> {
  try {
    return await check();
  } catch (error) {
    if (!(error instanceof CliFailure)) throw error;
    const { category, message, remedy = 'Read the log of JobForge.' } = error.envelope;
    const denied = category === 'AUTHENTICATION_ERROR' || category === 'AUTHORIZATION_ERROR';
    return [denied ? skipped(id, message) : failed(id, message, remedy)];
  }
}

/**
 * Looks at a JobForge from outside.
 * @throws CliFailure when nobody answers
 */
export async function checkServer(facts: ServerFacts): Promise<DoctorCheck[]> {
  const { client, now, version } = facts;
  const askedAt = now();
  const health = await client.call('jobForgeHealth');
  const answeredAt = now();
  const { ok: ready, reasons } = await client.call('jobForgeReady');
  const groups = await Promise.all([
    asked('runners', async () => checkRunners(await client.call('listRunners'))),
    asked('jobs', async () => [await checkJobs(facts)]),
    asked('tokens', async () => [checkTokens(await client.call('listTokens'), now())]),
    asked('records', async () => [checkChains(await client.call('verifyChains'))]),
  ]);
  return [
    ok('server', `JobForge answers at ${client.url}`),
    ready
      ? ok('ready', 'it takes jobs')
      : failed('ready', `it takes no jobs: ${reasons.join(' ')}`, 'Wait for it, or start it anew.'),
    ...checkHealth(health),
    checkVersion(health, version),
    checkClock(health, { askedAt, answeredAt }),
    ...groups.flat(),
  ];
}
