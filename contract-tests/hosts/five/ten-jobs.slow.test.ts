import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findInterpreters, script } from '@controlplane/capabilities/script';
import { shell } from '@controlplane/capabilities/shell';
import { afterAll, expect, onTestFinished, test, vi } from 'vitest';
import { runs, uniqueSeconds } from '../process-table.js';
import { processContainers } from '../quarterback/served.js';
import { startRunner, temporaryFolder } from '../served-runner.js';
import { startFiveHosts, type AnyHost, type Given } from './five-hosts.js';

// One runner, the same ten jobs through every kind of control plane, and what each says of them in its own words.

const LONG = 'x'.repeat(20_000);

/** Jobs that end by themselves: a command and what it prints. */
const PLAIN: ReadonlyArray<readonly [job: string, command: string, printed: string]> = [
  ['prints a line', 'echo hello', 'hello'],
  ['prints an error', 'echo oops >&2', 'oops'],
  ['splits a character', String.raw`printf 'h\303'; sleep 0.1; printf '\251llo\n'`, 'héllo'],
  ['pipes', String.raw`printf '3\n1\n2\n' | sort | tr -d '\n'; echo`, '123'],
  ['prints a lot', String.raw`head -c 20000 /dev/zero | tr '\0' x; echo`, LONG],
  ['looks for secrets', 'echo "[$RUNNER_SECRET]"', '[]'],
  ['fails', 'echo no; exit 3', 'no'],
];

const SUCCESS: Readonly<Record<string, string>> = {
  jobforge: 'completed',
  automn: '200 code 0',
  swarmlet: 'success 0',
  swamp: 'success',
  quarterback: 'success',
};
const WORDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  fails: {
    jobforge: 'failed COMMAND_FAILED',
    automn: '200 code 3',
    swarmlet: 'failed 3',
    swamp: 'error Command exited with code 3',
    quarterback: 'error Task failed with exit code 3',
  },
  'is cancelled': {
    jobforge: 'cancelled EXECUTION_CANCELLED',
    automn: '200 Error: aborted',
    swarmlet: 'failed 143',
    swamp: 'cancelled',
    quarterback: 'cancelled',
  },
  'runs out of time': {
    jobforge: 'failed EXECUTION_TIMEOUT',
    automn: '200 code 1 Timeout exceeded.',
    swarmlet: 'timeout Command timed out after 5 seconds',
    swamp: 'error Command timed out after 5000 ms',
    quarterback: 'error Task timed out after 5 seconds',
  },
};
const wordsOf = (host: string, job: string): string | undefined => (WORDS[job] ?? SUCCESS)[host];

const table: string[] = [];
afterAll(() => void process.stdout.write(`${table.sort().join('\n')}\n`));

/** Waits for the end of a job, which must be as this control plane words it. */
async function ends(
  { name }: AnyHost,
  given: Given,
  { job, printed }: { readonly job: string; readonly printed: string },
): Promise<void> {
  const ended = await given.ended();
  table.push(`${name.padEnd(12)} ${job.padEnd(20)} ${ended.words}`);
  const expected = { name, job, words: wordsOf(name, job), printed };
  expect({ name, job, words: ended.words, printed: ended.printed.trim() }).toEqual(expected);
}

/** The three that somebody has to look at, or to end, while they run. */
async function watched(host: AnyHost): Promise<void> {
  const go = join(temporaryFolder(), 'go');
  const streamed = await host.give(`echo first; while [ ! -f ${go} ]; do sleep 0.05; done; echo second`);
  await streamed.shows('first');
  writeFileSync(go, '');
  await ends(host, streamed, { job: 'is watched', printed: 'first\nsecond' });

  const unwanted = uniqueSeconds();
  const cancelled = await host.give(`echo on; sleep ${unwanted}; echo off`);
  await cancelled.shows('on');
  await cancelled.cancel();
  await ends(host, cancelled, { job: 'is cancelled', printed: 'on' });
  await expect.poll(() => runs(unwanted), { timeout: 30_000 }).toBe(false);

  const endless = uniqueSeconds();
  const late = await host.give(`echo on; sleep ${endless}; echo off`, 5);
  await ends(host, late, { job: 'runs out of time', printed: 'on' });
  await expect.poll(() => runs(endless), { timeout: 30_000 }).toBe(false);
}

test('the page of docs/hosts has the words of each', () => {
  const page = readFileSync(new URL('../../../docs/hosts/README.md', import.meta.url), 'utf8');
  const words = [SUCCESS, ...Object.values(WORDS)].flatMap((row) => Object.values(row));
  for (const one of words) expect(page).toContain(`\`${one}\``);
});

test('one runner completes the same ten jobs through every kind of control plane', async () => {
  vi.stubEnv('RUNNER_SECRET', 'not-for-jobs');
  onTestFinished(() => void vi.unstubAllEnvs());
  const hosts = await startFiveHosts();
  const interpreters = await findInterpreters();
  const own = { stateDirectory: temporaryFolder(), workDirectory: temporaryFolder() };
  const runner = await startRunner({
    hosts: hosts.map(({ host }) => host),
    capabilities: [
      shell({ profile: 'full', termGraceMs: 300 }),
      script({ interpreters, termGraceMs: 300, packages: false, ...own }),
      processContainers(),
    ],
    maxConcurrency: 10,
  });
  await runner.ready();
  await Promise.all(
    hosts.map(async (host) => {
      for (const [job, command, printed] of PLAIN)
        await ends(host, await host.give(command), { job, printed });
      await watched(host);
    }),
  );
  expect(table).toHaveLength(hosts.length * 10);
}, 180_000);
