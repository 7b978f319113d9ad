import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isTerminalEvent, type ExecutionEvent } from '@controlplane/contracts';
import { AUTOMN_HEADERS, AUTOMN_LINES, AUTOMN_SILENCE_MS, AutomnRun } from '@controlplane/contracts/automn';
import type { ExecutionRequest } from '../../execution/execute.js';
import { replyJson } from '../../transport/http-reply.js';
import { sayThrown } from '../../util/safe-json.js';
import type { HostedRunner } from '../host.js';
import { createFollowedExecutions, type FollowedExecutions } from './followed-executions.js';
import { createReply, notRun } from './from-event.js';
import { isSame } from './kept-state.js';
import { createLineWriter, type LineWriter } from './line-writer.js';
import { bodyOf } from './operator-routes.js';
import type { ResolvedAutomnOptions } from './options.js';
import type { Secrets } from './secrets.js';
import { inputOf, toRequest, type ScriptLine } from './to-request.js';

/** What jobs are run with. */
export interface RunParts {
  readonly runner: HostedRunner;
  readonly options: ResolvedAutomnOptions;
  readonly secrets: Pick<Secrets, 'serving'>;
  readonly line: ScriptLine;
}

type Refusal = readonly [status: number, error: string];

/** Milliseconds without a line after which one says that the script still runs. */
const MAX_QUIET_MS = 15_000;
const AT_CAPACITY: Refusal = [429, 'Runner is at capacity'];
const SHUTTING_DOWN: Refusal = [503, 'Runner is shutting down'];

function refusalOfEvent(event: ExecutionEvent): Refusal | undefined {
  if (event.type !== 'failed') return undefined;
  if (event.error.code === 'RUNNER_BUSY') return AT_CAPACITY;
  return event.error.code === 'RUNNER_DRAINING' ? SHUTTING_DOWN : undefined;
}

type Parsed = { readonly run: AutomnRun } | { readonly refusal: Refusal };

function parse(text: string): Parsed {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    return { refusal: [400, `the body is not valid JSON: ${sayThrown(error)}`] };
  }
  const { data, error } = AutomnRun.safeParse(body);
  if (data) return { run: data };
  const [issue] = error.issues;
  const where = issue?.path.join('.') ?? '';
  const isMissing = where === 'script' || where === '';
  return { refusal: [400, isMissing ? 'Script payload is required' : `${where}: ${issue?.message}`] };
}

function refuse(response: ServerResponse, [status, error]: Refusal): void {
  if (status === 429) response.setHeader('retry-after', '1');
  replyJson(response, status, JSON.stringify({ error }));
}

type Route = RunParts & { readonly followed: FollowedExecutions };

async function whyNot(route: Route, { headers }: IncomingMessage): Promise<Refusal | undefined> {
  const { runner, options, secrets, followed } = route;
  // Why a file cannot be read is for the log of the registration, not for whoever asks.
  const secret = await secrets.serving().catch(() => undefined);
  if (!secret) return [503, 'Runner secret not configured'];
  const shown = headers[AUTOMN_HEADERS.runnerSecret];
  if (typeof shown !== 'string' || !isSame(shown.trim(), secret)) return [401, 'Invalid runner secret'];
  if (runner.isDraining()) return SHUTTING_DOWN;
  const { used, total } = runner.slots();
  const own = options.localMaxConcurrency;
  return used >= total || (own > 0 && followed.count() >= own) ? AT_CAPACITY : undefined;
}

interface Job {
  readonly run: AutomnRun;
  readonly runId: string;
  readonly execution: ExecutionRequest;
}

function start({ runner, line, followed }: Route, { run, runId, execution }: Job, writer: LineWriter): void {
  const { response } = writer;
  const reply = createReply({ runId, input: inputOf(run), isScript: line.isScript });
  const leave = followed.follow(execution.executionId, response);
  runner.run(execution, (event) => {
    const refusal = refusalOfEvent(event);
    if (isTerminalEvent(event)) leave();
    if (refusal && !response.headersSent) return refuse(response, refusal);
    for (const one of reply(event)) writer.write(one);
    if (event.type === 'accepted') writer.open();
    if (isTerminalEvent(event)) writer.end();
  });
}

/** Makes what answers `POST /api/run`. */
export function createRunRoute(
  parts: RunParts,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const { runner, options, line } = parts;
  const route: Route = { ...parts, followed: createFollowedExecutions(runner) };
  /** Another control plane may use the same ids. */
  const prefix = `automn-${randomUUID().slice(0, 8)}`;
  const quietMs = Math.min(MAX_QUIET_MS, Math.ceil((options.timeoutMs ?? AUTOMN_SILENCE_MS) / 3));
  const writing = { contentType: AUTOMN_LINES, quietMs, clock: runner.clock };

  return async (request, response) => {
    const early = await whyNot(route, request);
    if (early) {
      request.resume();
      return refuse(response, early);
    }
    const text = await bodyOf(request, response, runner.maxBodyBytes);
    if (text === undefined) return;
    const parsed = parse(text);
    if ('refusal' in parsed) return refuse(response, parsed.refusal);
    const late = await whyNot(route, request);
    if (late) return refuse(response, late);
    // Whoever is gone already is not worked for.
    if (response.destroyed) return;
    const { run } = parsed;
    const runId = run.runId?.trim() || run.script.preassignedRunId || randomUUID();
    const writer = createLineWriter(response, writing);
    try {
      start(route, { run, runId, execution: toRequest(run, line, { runId, prefix }) }, writer);
    } catch (error) {
      writer.write(notRun(runId, inputOf(run), sayThrown(error)));
      writer.end();
    }
  };
}
