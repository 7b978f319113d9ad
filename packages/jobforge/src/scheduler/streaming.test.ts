import type { JobEvent } from '@controlplane/contracts';
import { afterEach, describe, expect, it } from 'vitest';
import { openForges } from '../testing/open-forge.js';
import { ECHO, type StubExecution } from '../testing/stub-runner.js';

const test = openForges();
afterEach(test.close);

const echo = { capability: 'echo', input: { text: 'hi' } };

const succeed = (execution: StubExecution): void => {
  execution.accept();
  execution.succeed();
};

async function idsOf(events: AsyncIterable<JobEvent>): Promise<string[]> {
  const ids: string[] = [];
  for await (const event of events) ids.push(`${event.id} ${event.type}`);
  return ids;
}

describe.each(['ndjson', 'batch'] as const)('streaming over the %s form', (form) => {
  it('logs and progress become events, live and again later, with the same ids', async () => {
    const { forge } = await test.pair({
      form,
      handle(execution) {
        execution.accept();
        execution.send({ type: 'log', level: 'info', message: 'one' });
        execution.send({ type: 'progress', fraction: 0.5, message: 'half' });
        execution.succeed({ ok: true });
      },
    });
    const job = await forge.submit(echo);
    const live = await idsOf(job.events());
    expect(live).toEqual([
      '0.0 job.created',
      '0.1 job.queued',
      '1.0 job.started',
      '1.1 job.log',
      '1.2 job.progress',
      '1.3 job.completed',
    ]);
    expect(await idsOf(job.events({ afterId: '1.1' }))).toEqual(['1.2 job.progress', '1.3 job.completed']);
  });

  it('a stream that breaks is taken up again, and what came before is not told twice', async () => {
    const { forge, runner } = await test.pair({
      form,
      // Room for two lines: a line that were counted again would push out the next.
      limits: { maxLogBytes: 250 },
      handle(execution) {
        execution.accept();
        execution.send({ type: 'log', level: 'info', message: 'one' });
        if (runner.executions.length === 1) return void setImmediate(() => execution.drop());
        execution.send({ type: 'log', level: 'info', message: 'two' });
        execution.succeed({ ok: true });
      },
    });
    const job = await forge.submit(echo);
    expect(await job.result()).toMatchObject({ success: true, metadata: { attempts: 1 } });
    const [first, second] = runner.executions;
    expect(second?.request).toEqual(first?.request);
    expect((await idsOf(job.events())).slice(2)).toEqual([
      '1.0 job.started',
      '1.1 job.log',
      '1.2 job.log',
      '1.3 job.completed',
    ]);
  });

  it('an offer that is not accepted in time goes elsewhere, at no cost to the job', async () => {
    const { forge, runner } = await test.pair({
      form,
      limits: { offerMs: 60 },
      handle(execution) {
        if (runner.executions.length > 1) succeed(execution);
      },
    });
    const job = await forge.submit({ ...echo, retryPolicy: { maxRetries: 0 } });
    expect(await job.result()).toMatchObject({ success: true, metadata: { attempts: 1 } });
    const [first, second] = runner.executions;
    expect(first?.request.executionId).not.toBe(second?.request.executionId);
    expect(runner.cancelled).toContain(first?.request.executionId);
  });

  it('news of an execution that is over changes nothing', async () => {
    const { forge, runner } = await test.pair({ form, handle: (execution) => execution.accept() });
    const job = await forge.submit(echo);
    const execution = await runner.execution(0);
    execution.raw(
      JSON.stringify({
        type: 'succeeded',
        executionId: execution.request.executionId,
        seq: 1,
        at: new Date().toISOString(),
        data: 1,
      }),
    );
    execution.raw(
      JSON.stringify({
        type: 'succeeded',
        executionId: execution.request.executionId,
        seq: 2,
        at: new Date().toISOString(),
        data: 2,
      }),
    );
    expect(await job.result()).toMatchObject({ data: 1 });
    execution.succeed(3);
    expect(await job.result()).toMatchObject({ data: 1 });
  });

  it('a line that is no event fails its execution alone', async () => {
    const { forge } = await test.pair({
      form,
      handle(execution) {
        execution.accept();
        if (execution.request.payload['bad'] === true)
          execution.raw(JSON.stringify({ executionId: execution.request.executionId, type: 'nonsense' }));
        else execution.succeed();
      },
    });
    const [bad, good] = await Promise.all([
      forge.submit({ ...echo, input: { bad: true } }),
      forge.submit(echo),
    ]);
    expect(await bad.result()).toMatchObject({ success: false, error: { code: 'RUNNER_PROTOCOL_ERROR' } });
    expect(await good.result()).toMatchObject({ success: true });
  });

  it('a runner that shuts down hands its work back at no cost', async () => {
    const { forge, runner } = await test.pair({
      form,
      handle(execution) {
        execution.accept();
        if (runner.executions.length === 1)
          execution.fail('RUNNER_SHUTDOWN', { retryable: true, category: 'SERVICE_UNAVAILABLE' });
        else execution.succeed();
      },
    });
    const job = await forge.submit({ ...echo, retryPolicy: { maxRetries: 0 } });
    expect(await job.result()).toMatchObject({ success: true, metadata: { attempts: 2 } });
  });

  it('keeps log text up to its limit and counts the rest', async () => {
    const { forge } = await test.pair({
      form,
      limits: { maxLogBytes: 1_000 },
      handle(execution) {
        execution.accept();
        for (let line = 0; line < 50; line += 1)
          execution.send({ type: 'log', level: 'info', message: 'x'.repeat(100) });
        execution.succeed();
      },
    });
    const job = await forge.submit(echo);
    await job.result();
    const events: JobEvent[] = [];
    for await (const event of job.events()) events.push(event);
    const logs = events.filter(({ type }) => type === 'job.log');
    // Five lines of each half.
    expect(logs).toHaveLength(10);
    expect(events.at(-1)).toMatchObject({
      type: 'job.completed',
      data: { droppedEvents: 40, droppedBytes: 4_000 },
    });
  });

  it('a runner that was started anew has lost its executions: what may be repeated is, what writes fails', async () => {
    const writes = { ...ECHO, id: 'write', effects: 'writes' };
    const { forge, runner } = await test.pair({
      form,
      handle(execution) {
        execution.accept();
        if (execution.request.attempt > 1) execution.succeed();
      },
    });
    await forge.operations.registerRunner(runner.registration({ capabilities: [ECHO, writes] }));
    const jobs = [await forge.submit(echo), await forge.submit({ capability: 'write', input: {} })] as const;
    for (const job of jobs) for await (const { type } of job.events()) if (type === 'job.started') break;
    await forge.operations.registerRunner(
      runner.registration({ capabilities: [ECHO, writes], instanceId: 'i2' }),
    );
    expect(await jobs[0].result()).toMatchObject({ success: true, metadata: { attempts: 2 } });
    expect(await jobs[1].result()).toMatchObject({
      success: false,
      error: { code: 'RUNNER_LOST' },
      metadata: { attempts: 1 },
    });
  });
});

it('an offer whose stream broke on the way may have begun: what writes is not offered again', async () => {
  const forge = await test.forge({ limits: { leaseMs: 200 } });
  const runner = await test.runner({ form: 'batch', handle: (execution) => execution.drop() });
  await forge.operations.registerRunner(
    runner.registration({ capabilities: [{ ...ECHO, effects: 'writes' }] }),
  );
  const job = await forge.submit(echo);
  await runner.execution(0);
  await runner.close();
  expect(await job.result()).toMatchObject({ success: false, error: { code: 'RUNNER_LOST' } });
});
