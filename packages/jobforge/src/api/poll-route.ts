import type { Socket } from 'node:net';
import { PollRequest } from '@controlplane/contracts';
import type { Operations } from '../model/operations.js';
import type { PollAnswer } from '../model/runner-connection.js';
import { readJson } from './body-reader.js';
import { startJsonText } from './json-reply.js';
import { idOf, parseBody } from './request-parsing.js';
import type { Exchange } from './served-endpoints.js';

/** The last answer that was written to a connection. */
const lastAnswers = new WeakMap<Socket, PollAnswer>();

/** What was written and not read when a connection is reset has not arrived: it goes back, unless it was claimed. */
function watchArrival(socket: Socket, answer: PollAnswer): void {
  const isWatched = lastAnswers.has(socket);
  lastAnswers.set(socket, answer);
  if (isWatched) return;
  socket.once('close', (isReset) => {
    if (isReset) lastAnswers.get(socket)?.undelivered();
  });
}

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
  watchArrival(request.socket, answer);
  if (answer.last) response.shouldKeepAlive = false;
  startJsonText(response, { status: 200 }, answer.body);
  response.end(answer.body);
}
