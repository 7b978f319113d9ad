/** One entry of a chain, as it is kept. */
export interface Link {
  /** 1 for the first, then one more each. */
  readonly seq: number;
  /** Milliseconds since 1970; never before that of the link before. */
  readonly at: number;
  /** JSON; undefined where it was forgotten: its hash still holds the chain together. */
  readonly record: string | undefined;
  /** Hex of the SHA-256 over {@link linkText}. */
  readonly hash: string;
}

/** What the first link of a chain follows: its name, so that no link fits into another chain. */
export function chainRoot(chain: string): string {
  return chain;
}

/** The text whose SHA-256 is a link's hash. JSON has no line breaks of its own, so that no two links share a text. */
export function linkText(
  previous: string,
  link: Pick<Link, 'seq' | 'at'> & { readonly record: string },
): string {
  return `${previous}\n${link.seq}\n${link.at}\n${link.record}`;
}

/** Where a chain breaks, and in which way. */
export interface ChainBreak {
  readonly seq: number;
  readonly reason: string;
}

/** Checks one link after the other, oldest first. */
export interface ChainCheck {
  /** Takes the links that follow those before; undefined while all is well. */
  next(links: readonly Link[]): ChainBreak | undefined;
  readonly links: number;
  /** The last link that held; undefined before the first. */
  readonly last: Pick<Link, 'seq' | 'at' | 'hash'> | undefined;
  readonly first: number | undefined;
}

function follows(last: Pick<Link, 'seq' | 'at'> | undefined, { seq, at, record }: Link): string | undefined {
  if (last === undefined)
    return seq === 1 || record === undefined ? undefined : 'links before it are missing';
  if (seq !== last.seq + 1) return `it follows link ${last.seq}: links between them are missing`;
  return at < last.at ? 'it is older than the link before it' : undefined;
}

/**
 * Checks a chain from its first kept link on: nothing was changed, taken out or put in since. Where old links were
 * forgotten the youngest of those is kept without its record, and what follows is held to its hash.
 */
export function checkChain(chain: string, sha256: (text: string) => string): ChainCheck {
  let last: Pick<Link, 'seq' | 'at' | 'hash'> | undefined;
  let first: number | undefined;
  let links = 0;

  const problemOf = (link: Link): string | undefined => {
    const gap = follows(last, link);
    if (gap !== undefined) return gap;
    if (link.record === undefined)
      return last === undefined ? undefined : 'its record is missing, and that of an older link is not';
    const expected = sha256(linkText(last?.hash ?? chainRoot(chain), { ...link, record: link.record }));
    return expected === link.hash ? undefined : 'its hash does not match what it says';
  };

  return {
    next(more) {
      for (const link of more) {
        const reason = problemOf(link);
        if (reason !== undefined) return { seq: link.seq, reason };
        if (link.record !== undefined) {
          first ??= link.seq;
          links += 1;
        }
        last = { seq: link.seq, at: link.at, hash: link.hash };
      }
      return undefined;
    },
    get links() {
      return links;
    },
    get last() {
      return last;
    },
    get first() {
      return first;
    },
  };
}
