import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { parseArgs } from 'node:util';
import { EXIT_CODES, type CliContext } from './cli-context.js';

interface Question {
  readonly url: URL;
  readonly timeoutMs: number;
  readonly asJson: boolean;
}

const DEFAULT_PORT = '3000';
const DEFAULT_TIMEOUT_MS = 3_000;
const MAX_REPLY_BYTES = 1024 * 1024;
const ANY_ADDRESS = new Set(['0.0.0.0', '::', '']);

/** What is wrong with the arguments, in words. */
class UsageError extends Error {}

function numberOf(text: string | undefined, name: string, max: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value <= max) return value;
  throw new UsageError(`--${name} is "${text}": expected a whole number from 1 to ${max}`);
}

function addressOf(environment: CliContext['environment'], port: number | undefined): string {
  const { HOST = '', PORT = '' } = environment;
  const host = port !== undefined || ANY_ADDRESS.has(HOST) ? '127.0.0.1' : HOST;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port ?? (PORT === '' ? DEFAULT_PORT : PORT)}`;
}

function urlOf(given: string, path: string): URL {
  if (!URL.canParse(given) || !/^https?:$/.test(new URL(given).protocol)) {
    throw new UsageError(`--url is "${given}": expected an http or https URL such as http://127.0.0.1:3000`);
  }
  return new URL(`${given.replace(/\/+$/, '')}${path}`);
}

function parse(args: readonly string[], environment: CliContext['environment']): Question {
  const { values } = parseArgs({
    args: [...args],
    options: {
      url: { type: 'string' },
      port: { type: 'string' },
      ready: { type: 'boolean', default: false },
      live: { type: 'boolean', default: false },
      timeout: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  if (values.url !== undefined && values.port !== undefined) {
    throw new UsageError('--url and --port exclude each other');
  }
  if (values.ready && values.live) throw new UsageError('--ready and --live exclude each other');
  const port = numberOf(values.port, 'port', 65_535);
  const path = (values.ready && '/readyz') || (values.live && '/livez') || '/health';
  return {
    url: urlOf(values.url ?? addressOf(environment, port), path),
    timeoutMs: numberOf(values.timeout, 'timeout', 600_000) ?? DEFAULT_TIMEOUT_MS,
    asJson: values.json,
  };
}

interface Reply {
  readonly statusCode: number;
  readonly body: string;
}

/** By node:http, because loading `fetch` takes longer than everything else that the command does. */
function ask({ url, timeoutMs }: Question): Promise<Reply> {
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent: false, headers: { accept: 'application/json' } }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
        if (body.length > MAX_REPLY_BYTES) outgoing.destroy(new Error('the answer is longer than 1 MB'));
      });
      response.on('error', reject);
      response.on('end', () => {
        clearTimeout(timer);
        resolve({ statusCode: response.statusCode ?? 0, body });
      });
    });
    const timer = setTimeout(
      () => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    outgoing.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    outgoing.end();
  });
}

interface Finding {
  readonly ok: boolean;
  readonly status: string;
  readonly reasons: readonly string[];
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Reads the reply of a probe (`ok`, `reasons`) or of `/health` (`status`, `checks`). */
function judge({ statusCode, body }: Reply): Finding {
  const reply = parseObject(body);
  const ok = statusCode === 200;
  const probed = { true: 'ok', false: 'not ok' }[String(reply?.['ok'])];
  const status = typeof reply?.['status'] === 'string' ? reply['status'] : probed;
  const checks = Array.isArray(reply?.['checks']) ? (reply['checks'] as unknown[]) : [];
  const failing = checks
    .map((check) => Object(check) as Readonly<Record<string, unknown>>)
    .filter((check) => check['status'] !== 'healthy')
    .map((check) => {
      const { name, status: found, message } = check as Readonly<Record<string, string | undefined>>;
      return `${name} is ${found}${message === undefined ? '' : `: ${message}`}`;
    });
  const told = Array.isArray(reply?.['reasons']) ? (reply['reasons'] as unknown[]).map(String) : failing;
  const isRunner = reply !== undefined && status !== undefined;
  const reasons = ok || isRunner ? told : [`answered with status ${statusCode}; is it a runner?`];
  return { ok, status: status ?? `HTTP ${statusCode}`, reasons };
}

function sayError(error: unknown): string {
  const { message, code } = error as Error & { code?: string };
  return message || String(code);
}

/**
 * `runner-sdk health`.
 * @returns its exit code
 */
export async function runHealth(args: readonly string[], context: CliContext): Promise<number> {
  const { environment, write, writeError } = context;
  let question: Question;
  try {
    question = parse(args, environment);
  } catch (error) {
    writeError(`${sayError(error)}\n\`runner-sdk health --help\` lists the options.`);
    return EXIT_CODES.usage;
  }
  const { url, asJson } = question;
  const startedMs = performance.now();
  const tell = (finding: Finding, line: string): void => {
    const ms = Math.round(performance.now() - startedMs);
    if (asJson) write(JSON.stringify({ ...finding, url: url.href, ms }));
    else if (finding.ok) write(line);
    else writeError(line);
  };
  try {
    const finding = judge(await ask(question));
    tell(finding, [finding.status, ...finding.reasons].join('; '));
    return finding.ok ? EXIT_CODES.ok : EXIT_CODES.failed;
  } catch (error) {
    const reason = sayError(error);
    tell({ ok: false, status: 'unreachable', reasons: [reason] }, `nobody answers at ${url.href}: ${reason}`);
    return EXIT_CODES.unreachable;
  }
}
