import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { runJobforge } from '../cli/cli-run.fixture.js';
import { openFolders } from '../testing/open-folders.js';
import { openForges } from '../testing/open-forge.js';
import { ECHO, type StubExecution } from '../testing/stub-runner.js';

const test = openForges();
const { inFolder, remove } = openFolders();
afterEach(async () => {
  await test.close();
  remove();
});

const echo = { capability: 'echo', input: {} };

/** Says something to people in the middle of a log of which the record has no room for the middle. */
function speak(execution: StubExecution): void {
  const log = { type: 'log', level: 'info', message: 'x'.repeat(30_000) };
  execution.accept();
  execution.send(log);
  execution.send({ ...log, level: 'warn', message: 'look\nat this', notification: { audience: 'ops' } });
  execution.send(log);
  execution.send({ ...log, message: 'all done', fields: { rows: 3 }, notification: {} });
  execution.send(log);
  execution.succeed();
}

const SAID = [
  { id: '1.2', level: 'warn', message: 'look\nat this', audience: 'ops' },
  { id: '1.4', level: 'info', message: 'all done' },
];

it('what a handler says to people stands with its job, whatever it logs, and after a restart', async () => {
  const options = { store: `sqlite:${join(inFolder(), 'jobs.db')}`, listen: { port: 0 } };
  const first = await test.forge(options);
  const runner = await test.runner({ form: 'batch', handle: speak });
  await first.operations.registerRunner(runner.registration());
  const job = await first.submit(echo);
  await job.result();
  expect(await job.show()).toMatchObject({ notifications: SAID, droppedBytes: expect.any(Number) });
  await first.stop({ drainMs: 0 });
  const second = await test.forge(options);
  const url = second.url ?? '';
  expect(await (await fetch(`${url}/jobs/${job.id}`)).json()).toMatchObject({ notifications: SAID });
  const { items } = (await (await fetch(`${url}/jobs`)).json()) as { items: object[] };
  expect(items[0]).not.toHaveProperty('notifications');
  const events = [];
  for await (const event of second.operations.jobEvents(job.id, { follow: false })) events.push(event);
  expect(events.filter(({ type }) => type === 'job.notification')).toMatchObject([
    { id: '1.2', data: { level: 'warn', message: 'look\nat this', audience: 'ops' } },
    { id: '1.4', data: { level: 'info', message: 'all done', fields: { rows: 3 } } },
  ]);
  const text = await (await fetch(`${url}/jobs/${job.id}/logs`)).text();
  expect(text).toMatch(/Z warn {2}\[to ops\] look\n {4}at this\n/);
  expect(text).toMatch(/Z info {2}\[notification\] all done \{"rows":3\}\n/);
});

it('the command line shows it with the job and in its log', async () => {
  const forge = await test.forge({ listen: { port: 0 } });
  const runner = await test.runner({ form: 'batch', handle: speak });
  await forge.operations.registerRunner(runner.registration());
  const job = await forge.submit(echo);
  await job.result();
  const shown = await runJobforge(forge.url ?? '', ['job', 'show', job.id]);
  expect(shown.out.join('\n')).toMatch(/^notification +\[to ops\] look/m);
  const logs = await runJobforge(forge.url ?? '', ['job', 'logs', job.id]);
  expect(logs.out.join('\n')).toMatch(/warn {3}\[to ops\] look\n {4}at this\n/);
  const lines = await runJobforge(forge.url ?? '', ['job', 'logs', job.id, '--json']);
  expect(lines.out.filter((line) => line.includes('"job.notification"'))).toHaveLength(2);
});

it('a runner that says too much fills its log, and the values of secrets are said to nobody', async () => {
  const forge = await test.forge({ secretsKey: Buffer.alloc(32, 7).toString('base64') });
  await forge.operations.setSecret('API_KEY', { value: 'hunter2-long' });
  const runner = await test.runner({
    form: 'batch',
    handle(execution) {
      const log = { type: 'log', level: 'info', message: 'the key is hunter2-long' };
      execution.accept();
      for (let count = 0; count < 51; count++)
        execution.send({ ...log, notification: { audience: 'hunter2-long' } });
      execution.succeed();
    },
  });
  await forge.operations.registerRunner(
    runner.registration({ capabilities: [{ ...ECHO, secrets: ['API_KEY'] }] }),
  );
  const job = await forge.submit(echo);
  await job.result();
  const { notifications = [] } = await job.show();
  expect(notifications).toHaveLength(50);
  expect(notifications[0]).toMatchObject({ message: 'the key is [redacted]', audience: '[redacted]' });
  const logged = [];
  for await (const event of job.events({ follow: false })) if (event.type === 'job.log') logged.push(event);
  expect(logged).toMatchObject([{ data: { message: 'the key is [redacted]' } }]);
});
