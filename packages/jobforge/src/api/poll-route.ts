import { PollRequest } from '@controlplane/contracts';
import type { Operations } from '../model/operations.js';
import { readJson } from './body-reader.js';
import { startJsonText } from './json-reply.js';
import { idOf, parseBody } from './request-parsing.js';
import type { Exchange } from './served-endpoints.js';

/** Answers a poll when there is something to say. What a caller that has hung up was offered goes back. */
export async function answerPoll(
  { request, response, params }: Exchange,
  operations: Operations,
): Promise<void> {
  const sent = await readJson(request);
  const id = idOf(params, 'RUNNER_NOT_FOUND');
  const body = parseBody(PollRequest, sent, 'pollRunner');
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const answer = await operations.pollRunner(id, { ...body, signal: gone.signal });
  if (response.destroyed || response.writableEnded) return answer.undelivered();
  response.once('close', () => {
    if (!response.writableFinished) answer.undelivered();
  });
  if (answer.last) response.shouldKeepAlive = false;
  startJsonText(response, { status: 200 }, answer.body);
  response.end(answer.body);
}
