import { TextDecoder } from 'node:util';
import type { Clock, TimerHandle } from '../util/clock.js';
import { cutBytes } from '../util/cut-bytes.js';

/** Where a piece of output came from. */
export type OutputStream = 'stdout' | 'stderr';

/** The output of child processes, gathered into few pieces of whole characters. */
export interface ChildOutput {
  write(stream: OutputStream, chunk: string | Uint8Array): void;
  /** Sends what has gathered. */
  flush(): void;
  /** Sends everything, half characters too. */
  end(): void;
}

/** What a {@link ChildOutput} is made of. */
export interface ChildOutputOptions {
  readonly clock: Clock;
  /** Bytes after which a piece is sent, and the most that it holds. */
  readonly maxChunkBytes: number;
  /** Milliseconds after which it is sent in any case. */
  readonly maxChunkMs: number;
  /** Units at the end of a text that must not be sent yet: a secret may begin there. */
  readonly unfinished: (text: string) => number;
  /** Makes a text fit to leave the runner. */
  readonly hide: (text: string) => string;
  readonly send: (stream: OutputStream, text: string) => void;
}

interface Gathering {
  readonly stream: OutputStream;
  readonly decoder: TextDecoder;
  text: string;
  bytes: number;
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;

/** A chunk in parts that take bounded memory each. */
function* partsOf(chunk: string | Uint8Array, maxLength: number): Generator<string | Uint8Array> {
  for (let start = 0; start < chunk.length; start += maxLength) {
    yield typeof chunk === 'string'
      ? chunk.slice(start, start + maxLength)
      : chunk.subarray(start, start + maxLength);
  }
}

/** Makes what gathers the output of one execution. */
export function createChildOutput(options: ChildOutputOptions): ChildOutput {
  const { clock, maxChunkBytes, maxChunkMs, unfinished, hide, send } = options;
  const gatherings: Gathering[] = [];
  let timer: TimerHandle | undefined;

  const gatheringOf = (stream: OutputStream): Gathering => {
    const known = gatherings.find((gathering) => gathering.stream === stream);
    if (known) return known;
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    const made: Gathering = { stream, decoder, text: '', bytes: 0 };
    gatherings.push(made);
    return made;
  };

  const emit = (gathering: Gathering, isLast: boolean): void => {
    let { text } = gathering;
    if (isLast) text += gathering.decoder.decode();
    let held = isLast ? 0 : unfinished(text);
    if (!isLast && held === 0 && isHighSurrogate(text.charCodeAt(text.length - 1))) held = 1;
    gathering.text = text.slice(text.length - held);
    gathering.bytes = Buffer.byteLength(gathering.text);
    let ready = hide(text.slice(0, text.length - held));
    while (ready !== '') {
      // Four bytes: a piece holds at least one character.
      const { head, tail } = cutBytes(ready, Math.max(4, maxChunkBytes));
      send(gathering.stream, head);
      ready = tail;
    }
  };

  const emitAll = (isLast: boolean): void => {
    if (timer !== undefined) clock.clearTimeout(timer);
    timer = undefined;
    for (const gathering of gatherings) emit(gathering, isLast);
  };

  const gather = (gathering: Gathering, part: string | Uint8Array): void => {
    const { decoder } = gathering;
    const text = typeof part === 'string' ? decoder.decode() + part : decoder.decode(part, { stream: true });
    gathering.text += text;
    gathering.bytes += Buffer.byteLength(text);
    if (gathering.bytes >= maxChunkBytes) emit(gathering, false);
  };

  return {
    write(stream, chunk) {
      const gathering = gatheringOf(stream);
      for (const part of partsOf(chunk, maxChunkBytes)) gather(gathering, part);
      if (gathering.text !== '') timer ??= clock.setTimeout(() => emitAll(false), maxChunkMs);
    },
    flush: () => emitAll(false),
    end: () => emitAll(true),
  };
}
