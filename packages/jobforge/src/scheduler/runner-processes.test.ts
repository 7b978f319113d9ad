import { afterEach, describe, expect, it } from 'vitest';
import { openForges } from '../testing/open-forge.js';
import { ECHO, type StubExecution } from '../testing/stub-runner.js';

const test = openForges();
afterEach(test.close);

const echo = { capability: 'echo', input: { text: 'hi' } };
const WRITES = [{ ...ECHO, effects: 'writes' }];

const succeed = (execution: StubExecution): void => {
  execution.accept();
  execution.succeed();
};

it('the JSON form names no process, because nothing is sent twice in it', async () => {
  const { forge, runner } = await test.pair({ form: 'json', handle: succeed });
  await (await forge.submit(echo)).result();
  expect(runner.executions[0]?.request.instanceId).toBeUndefined();
});

describe.each(['ndjson', 'batch'] as const)('another process in the place of a runner, %s form', (form) => {
  it('is told for which one an execution is', async () => {
    const { forge, runner } = await test.pair({ form, handle: succeed });
    await (await forge.submit(echo)).result();
    expect(runner.executions[0]?.request.instanceId).toBe('i1');
  });

  it('refuses an offer at no cost to the job, and gets no other before it registers', async () => {
    const { forge, runner } = await test.pair({
      form,
      handle(execution) {
        if (execution.request.instanceId === 'i2') succeed(execution);
        else execution.fail('INSTANCE_MISMATCH');
      },
    });
    const job = await forge.submit({ ...echo, retryPolicy: { maxRetries: 0 } });
    await runner.execution(0);
    await expect
      .poll(async () => (await job.show()).waitingFor)
      .toBe('stub answers as another process than the one that registered; it has to register anew');
    expect(runner.executions).toHaveLength(1);
    await forge.operations.registerRunner(runner.registration({ instanceId: 'i2' }));
    expect(await job.result()).toMatchObject({ success: true, metadata: { attempts: 1 } });
    expect(runner.executions).toHaveLength(2);
  });

  it.each([
    ['idempotent', { success: true, metadata: { attempts: 2 } }],
    ['writes', { success: false, error: { code: 'RUNNER_LOST' }, metadata: { attempts: 1 } }],
  ])('that does not have an execution has lost it: %s', async (effects, result) => {
    const forge = await test.forge();
    const runner = await test.runner({
      form,
      handle(execution) {
        if (runner.executions.length === 2) return execution.fail('INSTANCE_MISMATCH');
        execution.accept();
        if (runner.executions.length === 1) setImmediate(() => execution.drop());
        else execution.succeed();
      },
    });
    await forge.operations.registerRunner(runner.registration({ capabilities: [{ ...ECHO, effects }] }));
    expect(await (await forge.submit(echo)).result()).toMatchObject(result);
    expect(runner.executions[1]?.request.executionId).toBe(runner.executions[0]?.request.executionId);
  });

  it.each(['RUNNER_BUSY', 'RUNNER_DRAINING'])(
    'that says %s to what may have begun and writes has lost it',
    async (code) => {
      const forge = await test.forge();
      const runner = await test.runner({
        form,
        handle(execution) {
          if (runner.executions.length === 1) execution.drop();
          else execution.fail(code);
        },
      });
      await forge.operations.registerRunner(runner.registration({ capabilities: WRITES }));
      expect(await (await forge.submit(echo)).result()).toMatchObject({ error: { code: 'RUNNER_LOST' } });
      expect(runner.executions).toHaveLength(2);
    },
  );

  it('cannot be told from the first where it has no name: what writes is not sent twice', async () => {
    const forge = await test.forge();
    const runner = await test.runner({
      form,
      handle(execution) {
        execution.accept();
        setImmediate(() => execution.drop());
      },
    });
    await forge.operations.registerRunner(
      runner.registration({ capabilities: WRITES, instanceId: undefined }),
    );
    expect(await (await forge.submit(echo)).result()).toMatchObject({ error: { code: 'RUNNER_LOST' } });
    expect(runner.executions).toHaveLength(1);
  });

  it.each([
    ['another process', { instanceId: 'i2' }, { success: false, error: { code: 'RUNNER_LOST' } }],
    ['the same process at another address', { executeUrl: 'moved' }, { success: true }],
  ])('an offer that writes is not made twice where %s registers meanwhile', async (_who, how, result) => {
    const forge = await test.forge();
    const runner = await test.runner({
      form,
      handle(execution) {
        if (runner.executions.length > 1) succeed(execution);
      },
    });
    await forge.operations.registerRunner(runner.registration({ capabilities: WRITES }));
    const job = await forge.submit(echo);
    const first = await runner.execution(0);
    const { executeUrl, ...process } = { executeUrl: undefined, ...how };
    const delivery =
      executeUrl === undefined ? undefined : { kind: 'push', executeUrl: `${runner.url}/moved/execute` };
    await forge.operations.registerRunner(
      runner.registration({ capabilities: WRITES, delivery, ...process }),
    );
    expect(await job.result()).toMatchObject(result);
    for (const { request } of runner.executions) expect(request.executionId).toBe(first.request.executionId);
  });

  it('an offer that writes and was not accepted in time is asked for again, not made again', async () => {
    const forge = await test.forge({ limits: { offerMs: 60 } });
    const runner = await test.runner({
      form,
      handle(execution) {
        if (runner.executions.length > 1) succeed(execution);
      },
    });
    await forge.operations.registerRunner(runner.registration({ capabilities: WRITES }));
    expect(await (await forge.submit(echo)).result()).toMatchObject({
      success: true,
      metadata: { attempts: 1 },
    });
    expect(runner.executions[1]?.request).toEqual(runner.executions[0]?.request);
  });
});
