import type { Case, CaseContext } from '../case/case.js';
import { memberOf, must, mustKeepRule, mustReply } from '../case/expect.js';
import { NotApplicable } from '../case/verdict.js';
import type { Exchange } from '../harness/exchange.js';
import { openRawConnection, requestHead, statusesIn } from '../harness/raw-connection.js';
import { newExecution } from '../harness/runner-client.js';

/** How long an answer may take, with patience for a machine that is busy with something else. */
const ANSWER_MS = 10_000;

async function headLikeGet({ runner }: CaseContext): Promise<void> {
  const { client } = runner;
  const get = await client.send({ method: 'GET', url: client.urls.health });
  const head = await client.send({ method: 'HEAD', url: client.urls.health });
  mustReply(head.status === get.status && head.text === '', `HTTP ${get.status} without a body`, head);
}

async function ignoresQuery({ runner }: CaseContext): Promise<void> {
  const { client } = runner;
  const plain = await client.send({ method: 'GET', url: client.urls.health });
  const url = new URL(client.urls.health);
  url.searchParams.set('kit', 'ignore me');
  const asked = await client.send({ method: 'GET', url: url.href });
  mustReply(asked.status === plain.status, `HTTP ${plain.status}, as without a query`, asked);
}

async function keepsConnectionsAlive({ runner, signal }: CaseContext): Promise<void> {
  const { health } = runner.client.urls;
  const connection = await openRawConnection(health, signal);
  for (let count = 1; count <= 2; count += 1) {
    connection.write(requestHead('GET', health));
    const text = await connection.until((arrived) => statusesIn(arrived).length >= count, ANSWER_MS);
    must(statusesIn(text).length >= count, {
      sent: 'GET health twice over one connection',
      expected: `${count} ${count === 1 ? 'reply' : 'replies'}`,
      actual: connection.isClosed() ? 'the connection was closed' : 'no reply',
    });
  }
}

async function wrongMethodOnHealth({ runner }: CaseContext): Promise<void> {
  const exchange = await runner.client.send({ method: 'POST', url: runner.client.urls.health });
  const allow = exchange.headers['allow'] ?? '';
  mustReply(exchange.status === 405 && allow.includes('GET'), '405 and an allow header with GET', exchange);
}

/** Sends an execution over a raw connection and gives its reply, the bytes as they came. */
async function sendRaw(
  { runner, signal }: CaseContext,
  headers: Readonly<Record<string, string>>,
  pieces: readonly (string | Uint8Array)[],
): Promise<string> {
  const { execute } = runner.client.urls;
  const connection = await openRawConnection(execute, signal);
  connection.write(
    requestHead('POST', execute, { 'content-type': 'application/json', ...headers, connection: 'close' }),
  );
  for (const piece of pieces) {
    connection.write(piece);
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
  const isWhole = (text: string): boolean =>
    statusesIn(text).some((status) => status >= 200) && connection.isClosed();
  return connection.until(isWhole, ANSWER_MS);
}

const firstLine = (text: string): string => text.split('\r\n')[0] || 'no reply';

/** Whether a raw reply is that of a success that this text is part of. */
const succeeded = (text: string): boolean =>
  statusesIn(text).includes(200) && /"success"\s*:\s*true/.test(text);

async function plainReply(context: CaseContext): Promise<{ text: string; success: boolean }> {
  const { capability, input } = context.subject();
  const text = JSON.stringify(newExecution(capability.id, input));
  const exchange = await context.runner.client.execute(newExecution(capability.id, input));
  return { text, success: exchange.reply?.success === true };
}

async function readsChunkedBody(context: CaseContext): Promise<void> {
  const { text, success } = await plainReply(context);
  if (!success) throw new NotApplicable('no capability succeeds with an input made from its schema');
  const half = Math.floor(text.length / 2);
  const chunk = (part: string): string => `${Buffer.byteLength(part).toString(16)}\r\n${part}\r\n`;
  const reply = await sendRaw(context, { 'transfer-encoding': 'chunked' }, [
    chunk(text.slice(0, half)),
    `${chunk(text.slice(half))}0\r\n\r\n`,
  ]);
  must(succeeded(reply), {
    sent: 'POST /execute with transfer-encoding chunked, in two chunks',
    expected: 'success=true, as with a content-length',
    actual: firstLine(reply),
  });
}

async function readsSplitCharacters(context: CaseContext): Promise<void> {
  const { id } = context.fixture('conformance.echo');
  const said = 'ä漢🚀'.repeat(3);
  const body = Buffer.from(JSON.stringify(newExecution(id, { text: said })));
  // In the middle of the emoji, which is four bytes long.
  const cut = body.indexOf('🚀') + 2;
  const reply = await sendRaw(context, { 'content-length': String(body.length) }, [
    body.subarray(0, cut),
    body.subarray(cut),
  ]);
  const escaped = JSON.stringify(said).replaceAll(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const isIntact = reply.includes(said) || reply.toLowerCase().includes(escaped.slice(1, -1).toLowerCase());
  must(succeeded(reply) && isIntact, {
    sent: `POST /execute with the text ${said}, its body in two pieces that part an emoji`,
    expected: 'the same text in data',
    actual: succeeded(reply) ? 'another text' : firstLine(reply),
  });
}

async function expectContinue(context: CaseContext): Promise<void> {
  const { text } = await plainReply(context);
  const { execute } = context.runner.client.urls;
  const connection = await openRawConnection(execute, context.signal);
  const length = String(Buffer.byteLength(text));
  connection.write(
    requestHead('POST', execute, {
      'content-type': 'application/json',
      'content-length': length,
      expect: '100-continue',
    }),
  );
  const first = await connection.until((arrived) => statusesIn(arrived).length > 0, ANSWER_MS);
  const [status] = statusesIn(first);
  must(status === 100, {
    sent: 'POST /execute with expect: 100-continue, as curl sends for longer bodies',
    expected: 'HTTP/1.1 100 Continue',
    actual: firstLine(first),
  });
  connection.write(text);
  const whole = await connection.until((arrived) => statusesIn(arrived).length > 1, ANSWER_MS);
  must(statusesIn(whole).length > 1, {
    sent: 'the body, after 100 Continue',
    expected: 'a reply',
    actual: connection.isClosed() ? 'the connection was closed' : 'none',
  });
}

/** Sends an execution under a content type and expects what the plain one brings. */
async function readsUnder(context: CaseContext, contentType: string): Promise<void> {
  const { capability, input } = context.subject();
  const { client } = context.runner;
  const plain = await client.execute(newExecution(capability.id, input));
  const outcome = ({ status, json }: Exchange): string =>
    `HTTP ${status}, success=${String(memberOf(json, 'success'))}`;
  const exchange = await client.send({
    method: 'POST',
    url: client.urls.execute,
    headers: { 'content-type': contentType, accept: 'application/json' },
    body: JSON.stringify(newExecution(capability.id, input)),
  });
  mustReply(outcome(exchange) === outcome(plain), `${outcome(plain)}, as under application/json`, exchange);
}

async function saysJson(context: CaseContext): Promise<void> {
  const { capability, input } = context.subject();
  mustKeepRule('http.says-json', await context.runner.client.execute(newExecution(capability.id, input)));
}

export const httpCases: readonly Case[] = [
  { id: 'http.says-json', judge: saysJson },
  {
    id: 'http.reads-type-with-charset',
    judge: (context) => readsUnder(context, 'application/json; charset=utf-8'),
  },
  { id: 'http.reads-type-in-any-case', judge: (context) => readsUnder(context, 'Application/JSON') },
  { id: 'http.head-like-get', judge: headLikeGet },
  { id: 'http.ignores-query', judge: ignoresQuery },
  { id: 'http.keeps-connections-alive', judge: keepsConnectionsAlive },
  { id: 'http.wrong-method-on-health', judge: wrongMethodOnHealth },
  { id: 'http.expects-continue', judge: expectContinue },
  { id: 'http.reads-chunked-body', judge: readsChunkedBody },
  { id: 'http.reads-split-characters', judge: readsSplitCharacters },
];
