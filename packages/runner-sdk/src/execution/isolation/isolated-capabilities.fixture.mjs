// Capabilities for the isolation tests, loaded by them and once more by every thread and process that they start.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CapabilityError, defineCapability } from '@controlplane/runner-sdk';

/** Says how it is written on its prototype, as decimals, money and times of libraries do. */
class Decimal {
  constructor(digits) {
    this.digits = digits;
  }
  toJSON() {
    return this.digits;
  }
}

class Point {
  constructor(x, y) {
    this.x = x;
    this.y = y;
  }
}

/** A schema that takes anything, so that nothing but the package itself is loaded. */
const input = { '~standard': { version: 1, vendor: 'fixture', validate: (value) => ({ value }) } };

const HANDLERS = {
  echo: (given, ctx) => ({
    given,
    pid: process.pid,
    jobId: ctx.jobId,
    attempt: ctx.attempt,
    lastCheckpoint: ctx.lastCheckpoint,
    metadata: ctx.metadata,
    deadline: ctx.deadline.toISOString(),
    counted: (globalThis.counted = (globalThis.counted ?? 0) + 1),
  }),
  async speak(_given, ctx) {
    ctx.redact('hunter2');
    ctx.log.info('starting', { key: 'my hunter2' });
    await ctx.progress(0.5, 'half');
    await ctx.checkpoint({ page: 1 });
    ctx.output('stdout', Buffer.from('bytes '));
    // oxlint-disable-next-line no-console -- what a handler prints is output
    console.log('printed');
    const deadline = await ctx.extend(1000);
    await ctx.willWrite();
    ctx.log.warn('extended', { to: deadline.toISOString(), same: +deadline === +ctx.deadline });
    return 'spoken';
  },
  async read({ path }, ctx) {
    const names = ctx.files.list().map(({ name }) => name);
    let text = '';
    for await (const piece of ctx.files.open('good')) text += Buffer.from(piece).toString();
    const saved = await ctx.files.save('good', path);
    const codes = [];
    for (const name of ['none', 'damaged'])
      await ctx.files.save(name, `${path}-${name}`).catch((error) => codes.push(error.code));
    return { names, text, saved, codes };
  },
  async leave(_given, ctx) {
    const pieces = async function* () {
      yield 'one ';
      yield Buffer.from('two');
    };
    const contents = [Buffer.from([0, 255]), 'text', { path: fileURLToPath(import.meta.url) }, pieces()];
    const left = [];
    for (const content of contents)
      left.push((await ctx.artifact('left', content, { contentType: 'a/b' })).bytes);
    await ctx.artifact('../left', 'x').catch((error) => left.push(error.code));
    return left;
  },
  fail() {
    throw new CapabilityError('NOT_FOUND', 'no such thing', {
      retryable: false,
      cause: new TypeError('deep'),
    });
  },
  refuse: (_given, ctx) => ctx.extend(10_000_000_000),
  wait: (_given, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error(`told: ${signal.reason.kind}`)), {
        once: true,
      });
    }),
  async compute(_given, ctx) {
    ctx.log.info('computing');
    for (;;) await ctx.yield();
  },
  deaf: () => new Promise(() => setInterval(() => undefined, 1000)),
  loop() {
    for (;;);
  },
  chatter(_given, ctx) {
    for (;;) ctx.log.info('x'.repeat(100));
  },
  // oxlint-disable-next-line no-restricted-properties -- what it is there to show
  exit: () => process.exit(3),
  die: () => process.kill(process.pid, 'SIGKILL'),
  unusual: () => ({ made: new Date(0), toJSON: () => ({ json: true }), call() {} }),
  instances: () => ({
    amount: new Decimal('1.10'),
    url: new URL('http://127.0.0.1/a'),
    bytes: Buffer.from('a'),
    point: new Point(1, 2),
    when: new Date(0),
    missing: undefined,
    list: [new Decimal('2'), undefined, () => 1],
    keyed: new Map([['one', new Decimal('1')]]),
  }),
  unreadable: () => ({
    get value() {
      throw new Error('not now');
    },
  }),
  aFunction: () => () => 1,
  async keep(_given, ctx) {
    await ctx.checkpoint({ amount: new Decimal('1.10'), url: new URL('http://127.0.0.1/a') });
  },
  burst(_given, ctx) {
    for (let line = 0; line < 15_000; line++) ctx.log.info('x');
  },
  async orphan({ port }) {
    const program = `require('node:net').connect(${port}, '127.0.0.1').on('connect', () => process.stdout.write('up'))`;
    const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    // oxlint-disable-next-line no-restricted-properties -- what it is there to show
    process.exit(3);
  },
  // oxlint-disable-next-line node/no-process-env -- what it is there to show
  environment: () => process.env,
  async parent({ port }) {
    const program = `require('node:net').connect(${port}, '127.0.0.1').on('connect', () => process.stdout.write('up'))`;
    const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    for (;;);
  },
};

const define = (isolation, more = {}) =>
  defineCapability({
    id: `isolated.${isolation}`,
    version: '1.0.0',
    description: 'Does what its input says.',
    input,
    inputJsonSchema: { type: 'object' },
    effects: 'writes',
    announcesWrites: true,
    isolation,
    module: import.meta.url,
    execute: (given, ctx) => HANDLERS[given.do](given, ctx),
    ...more,
  });

/** Makes of its input and its checkpoints what no clone carries. */
const toUrl = {
  '~standard': {
    version: 1,
    vendor: 'fixture',
    validate: ({ url }) =>
      URL.canParse(url) ? { value: { url: new URL(url) } } : { issues: [{ message: 'no URL' }] },
  },
};

/** Takes a Date and makes a year of it. */
const toYear = {
  '~standard': {
    version: 1,
    vendor: 'fixture',
    validate: (value) =>
      value instanceof Date
        ? { value: value.getUTCFullYear() }
        : { issues: [{ message: `no Date but ${typeof value}` }] },
  },
};

const defineParsing = (isolation) =>
  define(isolation, {
    id: `parsing.${isolation}`,
    input: toUrl,
    checkpoint: toUrl,
    output: toYear,
    outputJsonSchema: { type: 'integer' },
    execute: ({ url }, { lastCheckpoint }) => new Date((lastCheckpoint?.url ?? url).pathname.slice(1)),
  });

export const parsingInThread = defineParsing('thread');
export const parsingInProcess = defineParsing('process');
export const inThread = define('thread');
export const inProcess = define('process', { environment: ['NAMED_VARIABLE'] });
