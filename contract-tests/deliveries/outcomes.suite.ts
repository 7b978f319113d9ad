import { expect, it } from 'vitest';
import type { Stage } from './stage.js';

const result = async (stage: Stage, ...submission: Parameters<Stage['submit']>) =>
  (await stage.submit(...submission)).result();

function results(stage: () => Stage): void {
  it('gives back what the handler returns', async () => {
    const input = { text: 'grüße 🌍 "quoted" \n line', list: [1, null, { deep: true }], zero: 0 };
    expect(await result(stage(), 'stage.echo', input)).toMatchObject({ success: true, data: input });
  });

  it('gives back what a handler without a promise returns', async () => {
    expect((await result(stage(), 'stage.sync')).data).toEqual({ answered: 'at once' });
  });

  it('gives back null for a handler that returns nothing', async () => {
    expect(await result(stage(), 'stage.nothing')).toMatchObject({ success: true, data: null });
  });

  it('hands the handler what the schema makes of the input', async () => {
    expect((await result(stage(), 'stage.parsed', { text: 'ab' })).data).toEqual({ text: 'abab' });
  });

  it('carries 200 KB in and out', async () => {
    const text = 'ü'.repeat(100_000);
    expect((await result(stage(), 'stage.echo', { text })).data).toEqual({ text });
  });

  it('says which runner and how many attempts', async () => {
    expect((await result(stage(), 'stage.sync')).metadata).toMatchObject({
      attempts: 1,
      runnerVersion: '1.0.0',
    });
  });
}

function failures(stage: () => Stage): void {
  it('makes of a CapabilityError an envelope with its code, not to be retried', async () => {
    const ended = await result(
      stage(),
      'stage.fail',
      { how: 'permanent' },
      { retryPolicy: { maxRetries: 3 } },
    );
    expect(ended).toMatchObject({
      success: false,
      error: { code: 'NO_SUCH_THING', message: 'there is no such thing', retryable: false },
      metadata: { attempts: 1 },
    });
  });

  it('makes of any other throw a retryable EXECUTION_FAILED', async () => {
    const { error } = await result(stage(), 'stage.fail', { how: 'plain' });
    expect(error).toMatchObject({ code: 'EXECUTION_FAILED', message: 'it broke', retryable: true });
  });

  it('keeps the causes of an error', async () => {
    const { error } = await result(stage(), 'stage.fail', { how: 'cause' });
    expect(error?.causes).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: 'TypeError', message: 'inner' })]),
    );
  });

  it('takes a throw that is no error', async () => {
    const { error } = await result(stage(), 'stage.fail', { how: 'text' });
    expect(error).toMatchObject({ code: 'EXECUTION_FAILED', message: expect.stringContaining('only text') });
  });

  it('refuses a result that its own schema refuses, with the path', async () => {
    const { error } = await result(stage(), 'stage.bad-output');
    expect(error).toMatchObject({ code: 'OUTPUT_INVALID', details: [{ path: ['output', 'count'] }] });
  });

  it('refuses a result that is no JSON', async () => {
    expect((await result(stage(), 'stage.circular')).error).toMatchObject({ code: 'OUTPUT_INVALID' });
  });

  it('refuses a result that is too large, and says how large', async () => {
    const { error } = await result(stage(), 'stage.large', { bytes: 34_000_000 });
    expect(error).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', message: expect.stringContaining('34000002') });
  });

  it('retries what may be retried until it succeeds', async () => {
    const retryPolicy = { maxRetries: 3, baseDelayMs: 1, backoffMs: 1, maxBackoffMs: 5 };
    const ended = await result(stage(), 'stage.flaky', { failures: 2 }, { retryPolicy });
    expect(ended).toMatchObject({ success: true, data: { attempt: 3 }, metadata: { attempts: 3 } });
  });

  it('gives up after the last retry', async () => {
    const retryPolicy = { maxRetries: 1, baseDelayMs: 1, backoffMs: 1, maxBackoffMs: 5 };
    const ended = await result(stage(), 'stage.flaky', { failures: 9 }, { retryPolicy });
    expect(ended).toMatchObject({ success: false, metadata: { attempts: 2 } });
  });
}

function inputs(stage: () => Stage): void {
  it('refuses an input that its schema refuses before any runner is troubled', async () => {
    await expect(stage().submit('stage.parsed', { text: 42 })).rejects.toMatchObject({
      envelope: { code: 'VALIDATION_ERROR', retryable: false, details: [{ path: ['input', 'text'] }] },
    });
  });

  it('refuses at the runner what only its own schema can tell', async () => {
    const ended = await result(
      stage(),
      'stage.parsed',
      { text: 'refused' },
      { retryPolicy: { maxRetries: 3 } },
    );
    expect(ended.error).toMatchObject({
      code: 'VALIDATION_ERROR',
      retryable: false,
      details: [{ path: ['input', 'text'], message: 'is refused' }],
    });
  });

  it('checks inputs by schemas that take their time', async () => {
    expect((await result(stage(), 'stage.async-schema', { text: 'fine' })).data).toBe('fine');
    const refused = await result(stage(), 'stage.async-schema', { text: 'refused' });
    expect(refused.error).toMatchObject({ code: 'VALIDATION_ERROR' });
  });

  it('answers the same job submitted twice with one run', async () => {
    const { acts, submit } = stage();
    const first = await submit('stage.echo', { n: 1 }, { id: `${stage().delivery}-twice` });
    await first.result();
    const second = await submit('stage.echo', { n: 1 }, { id: first.id });
    expect((await second.result()).data).toEqual({ n: 1 });
    expect(acts.began.filter((id) => id === first.id)).toHaveLength(1);
  });
}

/** What comes out of an execution. */
export function outcomes(stage: () => Stage): void {
  results(stage);
  failures(stage);
  inputs(stage);
}
