import { renderText, runContract } from '@controlplane/contract-test-kit';
import { afterAll, expect, test } from 'vitest';
import { buildBridge } from './bridged-runner.js';
import { casesAt, HOSTS, readRows } from './requirement-rows.js';

// The cases of the kit, unchanged, on a runner of ours that each of the control planes gives its orders to.

const rows = readRows();

/** What careless.mjs breaks: what each case finds out. */
const BROKEN = [
  'cancellation.ends-as-cancelled',
  'errors.failure-is-an-envelope',
  'errors.keeps-secrets',
  'execute.honours-timeout',
  'execute.keeps-text-intact',
  'execute.refuses-beyond-its-slots',
  'execute.rejects-invalid-input',
  'execute.reports-its-time',
  'execute.returns-declared-output',
  'security.keeps-secrets-out-of-output',
  'shutdown.exits-cleanly',
  'shutdown.finishes-running-work',
  'shutdown.loses-nothing',
  'streaming.logs-before-the-end',
];
const bridge = await buildBridge();
afterAll(() => bridge.remove());

test.each(HOSTS)(
  'a runner at %s keeps what the kit can ask for there',
  { timeout: 400_000 },
  async (host) => {
    const ids = casesAt(rows, host);
    const report = await runContract(bridge.target(host), { run: ids, strict: true });
    const passed = report.results.filter(({ status }) => status === 'passed').map(({ id }) => id);
    expect(passed.toSorted(), renderText(report)).toEqual(ids.toSorted());
  },
);

test('what a runner there breaks is found by the cases', { timeout: 200_000 }, async () => {
  const report = await runContract(bridge.target('swarmlet', 'careless.mjs'), { run: BROKEN });
  const found = report.results.filter(({ status }) => status === 'failed' || status === 'warned');
  expect(found.map(({ id }) => id).toSorted(), renderText(report)).toEqual(BROKEN);
});
