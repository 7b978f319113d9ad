import { describe, expect, it } from 'vitest';
import { createApiClient } from './api-client.js';
import { EXIT } from './exit-code.js';

describe('a JobForge that never answers', () => {
  const silent = createApiClient({
    url: 'http://127.0.0.1:1',
    fetch: () => new Promise<Response>(() => undefined),
    answerMs: 5,
  });
  const failure = {
    exitCode: EXIT.unreachable,
    message: 'JobForge does not answer at http://127.0.0.1:1 (no answer within 0.005 s).',
  };

  it('is unreachable after the wait', async () => {
    await expect(silent.call('listRunners')).rejects.toMatchObject(failure);
  });

  it('is unreachable for streams too', async () => {
    await expect(silent.events('a')[Symbol.asyncIterator]().next()).rejects.toMatchObject(failure);
  });
});
