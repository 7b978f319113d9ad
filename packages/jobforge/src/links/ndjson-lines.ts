/** Receives the lines of a stream. */
export interface LineReader {
  onLine(line: string): void;
  /** A line that is longer than allowed: its first kilobyte. The rest of it is skipped. */
  onOverlong(prefix: string): void;
}

export interface LineParser {
  push(chunk: Buffer): void;
  /** The stream has ended: a last line without a line feed still counts. */
  end(): void;
}

const LINE_FEED = 10;
const PREFIX_BYTES = 1024;

/** Cuts a byte stream into lines without ever splitting a character, holding at most `maxLineBytes`. */
export function createLineParser(maxLineBytes: number, reader: LineReader): LineParser {
  let parts: Buffer[] = [];
  let held = 0;
  let skipping = false;

  const finish = (): void => {
    const line = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
    parts = [];
    held = 0;
    if (skipping) skipping = false;
    else if (line.length > 0) reader.onLine(line.toString('utf8'));
  };

  const hold = (part: Buffer): void => {
    if (skipping || part.length === 0) return;
    held += part.length;
    parts.push(part);
    if (held <= maxLineBytes) return;
    reader.onOverlong(Buffer.concat(parts).toString('utf8', 0, PREFIX_BYTES));
    skipping = true;
    parts = [];
  };

  return {
    push(chunk) {
      let from = 0;
      for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, from)) {
        // A line that is whole is read where it lies.
        if (held === 0 && at > from && at - from <= maxLineBytes)
          reader.onLine(chunk.toString('utf8', from, at));
        else {
          hold(chunk.subarray(from, at));
          finish();
        }
        from = at + 1;
      }
      // A copy, because the rest of the chunk would be kept alive by its last few bytes.
      if (from < chunk.length) hold(Buffer.from(chunk.subarray(from)));
    },
    end: () => finish(),
  };
}
