import { expect, onTestFinished, test, vi } from 'vitest';
import { runs, uniqueSeconds } from '../process-table.js';
import { serve, start, startHost } from './served.js';

// What Automn's own runner got wrong and this one mends, one test each; what concerns its page is in automn-operator.

const SECRET = 'default-secret';
const PATIENT = { timeout: 15_000 };

test('a script sees nothing of the runner’s own: no secret, no reset token, no token of the script', async () => {
  vi.stubEnv('AUTOMN_RUNNER_SECRET', SECRET);
  vi.stubEnv('AUTOMN_RUNNER_RESET_TOKEN', 'a-long-reset-token');
  onTestFinished(() => void vi.unstubAllEnvs());
  const host = await startHost();
  await serve(host, { secret: undefined });
  const { result } = await host.ended(host.run('env'));
  expect(result?.stdout).toContain('AUTOMN_RUN_ID=');
  expect(result?.stdout).not.toMatch(/default-secret|a-long-reset-token|the-script-token/);
});

test('a script that ignores SIGTERM is killed when its time is over, with what it started, and its slot is free', async () => {
  const host = await startHost();
  await serve(host, { localMaxConcurrency: 1 });
  const seconds = uniqueSeconds();
  const code = `trap '' TERM; echo on; sh -c "trap '' TERM; sleep ${seconds}" & wait; sleep ${seconds}`;
  const job = await host.ended(host.run(code, { timeout: 1 }));
  expect(job.result).toMatchObject({
    code: 1,
    stdout: 'on',
    stderr: expect.stringContaining('Timeout exceeded.'),
  });
  await expect.poll(() => runs(seconds), PATIENT).toBe(false);
  expect((await host.ended(host.run('echo next'))).result).toMatchObject({ stdout: 'next' });
});

test('a script that nobody waits for any more is ended, with what it started', async () => {
  const host = await startHost();
  await serve(host, { localMaxConcurrency: 1 });
  const seconds = uniqueSeconds();
  const job = host.run(`trap '' TERM; echo on; sleep ${seconds} & sleep ${seconds}`);
  await host.logged(job, 'on');
  expect(runs(seconds)).toBe(true);
  job.hangUp();
  await expect.poll(() => runs(seconds), PATIENT).toBe(false);
});

test('a script that is silent for longer than the control plane waits is not given up', async () => {
  const host = await startHost();
  await serve(host, { timeoutMs: 6_000 });
  const job = await host.ended(host.run('sleep 9; echo done'));
  expect(job).toMatchObject({ error: undefined, result: { code: 0, stdout: 'done' } });
  expect(job.lines).toContainEqual({ type: 'progress' });
});

test('a script that has returned goes on to its end, and has not failed', async () => {
  const host = await startHost();
  await serve(host);
  const code = "AutomnReturn('early'); setTimeout(() => console.log('later'), 800);";
  const { result } = await host.ended(host.run(code, { language: 'node' }));
  expect(result).toMatchObject({ code: 0, returnData: 'early', stdout: 'later' });
});

test('no output forges a result, and no mark of the channel is in the output', async () => {
  const host = await startHost();
  await serve(host);
  const code = `console.log('__SCRIPTRETURN__{"forged":true}'); AutomnReturn('true one'); AutomnLog('said');`;
  const job = await host.ended(host.run(code, { language: 'node' }));
  expect(job.result).toMatchObject({
    returnData: 'true one',
    stdout: '__SCRIPTRETURN__{"forged":true}',
    automnLogs: [{ message: 'said' }],
  });
  expect(job.log).toBe('__SCRIPTRETURN__{"forged":true}\nsaid\n');
});

test('a character that is split between two writes arrives whole', async () => {
  const host = await startHost();
  await serve(host);
  const job = await host.ended(host.run(String.raw`printf 'h\303'; sleep 0.1; printf '\251llo'`));
  expect(job).toMatchObject({ log: 'héllo', result: { stdout: 'héllo' } });
});

test('what a talkative script prints is bounded, in its result and on its way, and what is left out is said', async () => {
  const host = await startHost();
  await serve(host);
  const job = await host.ended(host.run('head -c 3000000 /dev/zero | tr "\\0" x'));
  const { code, stdout = '' } = job.result ?? {};
  expect(code).toBe(0);
  expect(stdout.length).toBeGreaterThan(50_000);
  expect(stdout.length).toBeLessThan(60_000);
  expect(job.log.length).toBeLessThan(1_100_000);
  expect(job.log).toMatch(/x\n\[\d+ bytes of output left out\]\n$/);
});

test('a secret that was entered runs nothing before the control plane has taken it', async () => {
  const host = await startHost();
  const { url: listening } = await start(host);
  const url = await listening();
  const secret = 'secret-of-an-attacker';
  const [, csrf = ''] = /name="csrf" value="([^"]+)"/.exec(await (await fetch(url)).text()) ?? [];
  host.behaviour.register = 'gateway';
  await fetch(`${url}/ui/register`, { method: 'POST', body: new URLSearchParams({ csrf, secret }) });
  const run = async () =>
    (
      await fetch(`${url}/api/run`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-automn-runner-secret': secret },
        body: JSON.stringify({ script: { language: 'shell', code: 'echo owned' } }),
      })
    ).status;
  expect(await run()).toBe(503);
  host.behaviour.register = 'look';
  await host.answers.first((status) => status === 401);
  expect(await run()).toBe(503);
  await expect.poll(async () => (await fetch(url)).text(), PATIENT).toContain('name="secret"');
});

test('what the control plane says is text on the page', async () => {
  const host = await startHost();
  const { url } = await serve(host);
  host.behaviour.register = 'internal error';
  await fetch(`${await url()}/ui/reregister`, { headers: { 'user-agent': 'curl/8' } });
  const html = await (await fetch(await url())).text();
  expect(html).toContain('Failed &lt;script&gt;alert(1)&lt;/script&gt;');
  expect(html).not.toContain('<script');
});

test('a control plane that is away is asked again until it is back, and a redirect gets no secret', async () => {
  const host = await startHost();
  host.behaviour.register = 'gateway';
  const { runner } = await start(host, { secret: SECRET });
  await host.answers.count((status) => status === 502, 2);
  host.behaviour.register = 'moved';
  await host.answers.count((status) => status === 307, 2);
  host.behaviour.register = 'look';
  await runner.ready();
  expect(host.answers.all.filter((status) => status === 200)).toHaveLength(1);
});

test('a runner that is disabled comes back when it is enabled', async () => {
  const host = await startHost();
  const known = host.runnerOf('default');
  known.status = 'disabled';
  const { runner } = await start(host, { secret: SECRET });
  await host.answers.first((status) => status === 403);
  known.status = 'pending';
  await runner.ready();
});

test('a heartbeat that failed is made up for long before the next one is due', async () => {
  const host = await startHost();
  const { url } = await serve(host, { heartbeatMs: 600_000 });
  host.behaviour.register = 'internal error';
  await fetch(`${await url()}/ui/reregister`, { headers: { 'user-agent': 'curl/8' } });
  await host.answers.count((status) => status === 500, 2);
  host.behaviour.register = 'look';
  await host.registrations.count(() => true, 2);
});

test('what is posted while the control plane takes no heartbeat is run', async () => {
  const host = await startHost();
  await serve(host, { heartbeatMs: 30 });
  host.behaviour.register = 'gateway';
  await host.answers.count((status) => status === 502, 2);
  expect(await host.ended(host.run('echo all the same'))).toMatchObject({ log: 'all the same\n' });
});

test('the same job sent twice runs once, and both are answered', async () => {
  const host = await startHost();
  await serve(host);
  const first = host.run('echo $$; sleep 0.5');
  await host.logged(first, '\n');
  const second = host.run('echo $$; sleep 0.5', { runId: first.runId });
  await Promise.all([host.ended(first), host.ended(second)]);
  expect(second.result).toEqual(first.result);
});
