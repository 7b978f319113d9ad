import type { IncomingMessage } from 'node:http';
import { DEFAULTS } from '@controlplane/contracts';
import { AUTOMN_HEADERS, AutomnLine, AutomnRefused } from '@controlplane/contracts/automn';
import { createHttpSender, readBody, watchConnection } from '../../links/http-post.js';
import { createLineParser } from '../../links/ndjson-lines.js';
import type { ForeignExecution, Outcome } from '../foreign-execution.js';
import { lostOutcome, refusedOutcome, toOutcome, type AskedScript } from './run.js';

/** Where a runner is, and what it knows JobForge by. */
export interface RunTarget {
  readonly endpoint: string;
  readonly secret: string;
  readonly runnerId: string;
}

/** A job that was posted. */
export interface Run {
  /** Hangs up: the runners of Automn go on all the same, those of ours stop. */
  stop(): void;
  /** Reads nothing more of the answer for now: what is printed waits at its runner. */
  pause(): void;
  resume(): void;
}

/** Posts jobs to runners. */
export interface RunClient {
  /**
   * Runs a script and tells what becomes of it.
   * @param onBytes - called with every piece of the answer: its runner is there
   * @param onUnreached - called when nothing of it can have arrived
   * @param onClosed - called when no more of it is to come
   */
  run(given: {
    readonly execution: ForeignExecution;
    readonly asked: AskedScript;
    readonly target: RunTarget;
    readonly onBytes: () => void;
    readonly onUnreached: (reason: string) => void;
    readonly onClosed: () => void;
    readonly isPaused: boolean;
  }): Run;
}

/** Bytes of an answer that is none to a job. */
const MAX_REFUSAL_BYTES = 64 * 1024;
/** Of one line: the result has all that the script printed. */
const MAX_LINE_BYTES = DEFAULTS.maxBodyBytes;

function lineOf(text: string): AutomnLine | 'strange' | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const { type } = Object(value) as { readonly type?: unknown };
    if (type !== 'log' && type !== 'result') return undefined;
    return AutomnLine.safeParse(value).data ?? 'strange';
  } catch {
    return 'strange';
  }
}

/** Reads the lines of an answer, each of which is told as it comes. */
function readLines(
  response: IncomingMessage,
  { execution, asked }: { readonly execution: ForeignExecution; readonly asked: AskedScript },
): void {
  const broken = (what: string): Outcome => lostOutcome(true, what);
  // A runner of ours stops where it is hung up on.
  const giveUp = (what: string): void => {
    execution.end(broken(what));
    response.destroy();
  };
  const parser = createLineParser(MAX_LINE_BYTES, {
    onLine(text) {
      const line = lineOf(text);
      // Lines of other types are passed over, as Automn does.
      if (line === undefined) return;
      if (line === 'strange') giveUp('it answered with a line that cannot be read');
      else if (line.type === 'log') execution.output('stdout', line.line);
      else if (line.type === 'result') execution.end(toOutcome(line.data, asked));
    },
    onOverlong: () => giveUp(`it answered with a line of more than ${MAX_LINE_BYTES} bytes`),
  });
  response.on('data', (chunk: Buffer) => parser.push(chunk));
  response.on('end', () => {
    parser.end();
    execution.end(broken('it answered without a result'));
  });
  response.on('error', (error) => execution.end(broken(error.message)));
  response.on('close', () => execution.end(broken('it was closed')));
}

export function createRunClient(): RunClient {
  const sender = createHttpSender();
  return {
    run({ execution, asked, target, onBytes, onUnreached, onClosed, isPaused }) {
      const headers = {
        'content-type': 'application/json',
        accept: 'application/jsonl, application/json',
        [AUTOMN_HEADERS.runnerId]: target.runnerId,
        [AUTOMN_HEADERS.runnerName]: target.runnerId,
        [AUTOMN_HEADERS.runnerSecret]: target.secret,
      };
      const body = JSON.stringify(asked.run);
      const request = sender.send({ method: 'POST', url: new URL(target.endpoint), headers, body });
      const connection = watchConnection(request);
      let answer: IncomingMessage | undefined;
      let [paused, isStopped] = [isPaused, false];
      request.on('error', ({ message }) => {
        execution.end(lostOutcome(connection.connected, message));
        // Whoever was hung up on before it could answer may well be there.
        if (!connection.connected && !isStopped) onUnreached(message);
      });
      request.on('close', onClosed);
      request.on('response', (response) => {
        answer = response;
        // Before anybody reads it: a stream that was paused by hand stays so.
        if (paused) response.pause();
        response.on('data', onBytes);
        const { statusCode = 0 } = response;
        if (statusCode === 200) return readLines(response, { execution, asked });
        readBody(response, MAX_REFUSAL_BYTES, (read) => {
          const said = 'body' in read ? read.body : read.error.message;
          execution.end(refusedOutcome(statusCode, errorIn(said)));
        });
      });
      const setPaused = (to: boolean): void => {
        paused = to;
        if (to) answer?.pause();
        else answer?.resume();
      };
      return {
        stop() {
          isStopped = true;
          request.destroy();
        },
        pause: () => setPaused(true),
        resume: () => setPaused(false),
      };
    },
  };
}

function errorIn(text: string): string {
  try {
    return AutomnRefused.parse(JSON.parse(text)).error;
  } catch {
    return text;
  }
}
