import { DEFAULTS, type RequestOf } from '@controlplane/contracts';
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { misused } from './cli-failure.js';
import type { Session } from './client-command.js';
import { unreadable } from './job-input.js';
import type { LocalFile } from './local-file.js';

type Body = RequestOf<'submitJob'>;
type Files = NonNullable<Body['files']>;

/** A file as the command line names it. */
interface Named {
  readonly name: string;
  readonly path: string;
}

function readName(given: string): Named {
  const at = given.indexOf('=');
  const name = at < 0 ? basename(given) : given.slice(0, at);
  const path = at < 0 ? given : given.slice(at + 1);
  if (name !== '' && path !== '') return { name, path };
  throw misused(`--file ${given} names no file: expected name=path.`, 'Such as --file data.csv=./june.csv');
}

async function sha256Of(file: LocalFile): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of file.read()) hash.update(piece);
  return hash.digest('hex');
}

/** Passes pieces on and shows how many bytes have gone. */
async function* shown(
  { terminal }: Session,
  { name, file }: { readonly name: string; readonly file: LocalFile },
): AsyncGenerator<Uint8Array> {
  let gone = 0;
  for await (const piece of file.read()) {
    gone += piece.byteLength;
    const share = file.bytes === 0 ? 100 : Math.floor((gone * 100) / file.bytes);
    terminal.status?.(`sending ${name}  ${share} % of ${file.bytes} bytes`);
    yield piece;
  }
}

/** Sends a file unless it is there already. */
async function send(
  session: Session,
  sent: { readonly name: string; readonly file: LocalFile },
): Promise<string> {
  const sha256 = await sha256Of(sent.file);
  if (await session.client.has(sha256)) return sha256;
  try {
    await session.client.upload(sha256, shown(session, sent));
  } finally {
    session.terminal.status?.(undefined);
  }
  return sha256;
}

/** Sends the files that a command line names. */
async function sendFiles(session: Session, named: readonly string[]): Promise<Files> {
  const files: Files = [];
  for (const given of named) {
    const { name, path } = readName(given);
    let file;
    try {
      file = await session.context.openFile(path);
    } catch (error) {
      throw misused(unreadable(path, error));
    }
    files.push({ name, bytes: file.bytes, sha256: await send(session, { name, file }) });
  }
  return files;
}

/** An input that is too large for a message, as a file. */
async function carried(session: Session, { payload }: Pick<Body, 'payload'>): Promise<Body['payload']> {
  const content = Buffer.from(JSON.stringify(payload.data));
  if (content.length <= DEFAULTS.maxInlineBytes) return payload;
  const file: LocalFile = {
    bytes: content.length,
    async *read() {
      yield content;
    },
  };
  const sha256 = await send(session, { name: 'the input', file });
  return { ...payload, data: {}, dataFile: { sha256, bytes: content.length } };
}

/** A submission whose files are at JobForge: those that the command line names, and an input that is too large. */
export async function withFiles(session: Session, body: Body, named: readonly string[]): Promise<Body> {
  const payload = await carried(session, body);
  if (named.length === 0) return { ...body, payload };
  return { ...body, payload, files: await sendFiles(session, named) };
}
