import {
  QuarterbackAssignment,
  QuarterbackPending,
  QuarterbackRegistered,
  QuarterbackStatusAnswer,
} from '@controlplane/contracts/quarterback';
import type { JobHandle } from '@controlplane/jobforge';
import { expect, test } from 'vitest';
import { TRANSCRIPT, type RecordedCall } from '../hosts/quarterback/transcript.js';
import { openForge, type Opened } from './opened.js';

// The calls that Quarterback's own runner makes at its orchestrator, made by it at JobForge.

const BASE = '/quarterback';

const filled = (value: unknown, ids: ReadonlyMap<string, string>): unknown => {
  let text = JSON.stringify(value).replaceAll('"<number>"', '12').replaceAll('<text>', 'a-text');
  for (const [recorded, own] of ids) text = text.replaceAll(recorded, own);
  return JSON.parse(text) as unknown;
};

/** The file of a task, as it is fetched later in the recording. */
const contentOf = (name: string): string =>
  String(TRANSCRIPT.find(({ path }) => path === `/files/${encodeURIComponent(name)}`)?.answer);

/** Plays the runner of the recording, and whoever submits what it is given. */
function stage({ url, forge }: Opened, token: string) {
  const ids = new Map<string, string>();
  const jobs: JobHandle[] = [];
  let key = '';
  const call = async ({ method, path, body }: RecordedCall): Promise<Response> => {
    const response = await fetch(`${url}${BASE}${path}`, {
      method,
      headers: { 'content-type': 'application/json', 'x-api-key': key, 'x-registration-token': token },
      ...(body === undefined ? {} : { body: JSON.stringify(filled(body, ids)) }),
    });
    expect({ path, status: response.status }).toEqual({ path, status: 200 });
    return response;
  };

  async function take(recorded: RecordedCall): Promise<void> {
    const { task_id, prompt, files, timeout_seconds } = QuarterbackAssignment.parse(recorded.answer);
    const brought = (files ?? []).map((name) => ({ name, content: contentOf(name) }));
    jobs.push(
      await forge.submit({
        ...{ capability: 'quarterback.task', input: { prompt, files: brought } },
        ...{ timeoutMs: (timeout_seconds ?? 60) * 1_000, retryPolicy: { maxRetries: 0 } },
      }),
    );
    for (;;) {
      const given = QuarterbackPending.parse(await (await call(recorded)).json());
      if (given === null) continue;
      expect(given).toMatchObject({ prompt, files: files ?? [], timeout_seconds });
      ids.set(task_id, given.task_id);
      return;
    }
  }
  async function step(recorded: RecordedCall): Promise<void> {
    const { path, answer } = recorded;
    if (path === '/tasks/pending') return answer === null ? undefined : take(recorded);
    const response = await call(recorded);
    if (path.startsWith('/files/')) return expect(await response.text()).toBe(answer);
    const said: unknown = await response.json();
    if (path === '/register') key = QuarterbackRegistered.parse(said).api_key;
    if (path === '/status') QuarterbackStatusAnswer.parse(said);
  }
  return { step, jobs };
}

test('a recorded session is held call by call, and each job ends as its runner says', async () => {
  const opened = await openForge(['quarterback']);
  const { step, jobs } = stage(opened, await opened.token());
  for (const recorded of TRANSCRIPT) await step(recorded);
  const ends = await Promise.all(jobs.map((job) => job.result()));
  expect(ends.map(({ success, error }) => [success, error?.code])).toEqual([
    [true, undefined],
    [false, 'TASK_FAILED'],
    [false, 'EXECUTION_TIMEOUT'],
  ]);
});
