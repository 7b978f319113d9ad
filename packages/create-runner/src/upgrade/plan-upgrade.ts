import { mergeManifest } from './merge-manifest.js';
import { mergeText } from './merge-text.js';
import type { Versions } from './merge-text.js';

/**
 * What becomes of a file: `updated` you had not changed it · `merged` both had, in different places · `conflict` both
 * had, in the same place · `added`, `removed` by the template · `kept` yours stays as it is, and `note` says why
 */
export type ChangeKind = 'added' | 'updated' | 'merged' | 'conflict' | 'removed' | 'kept';

export interface Change {
  readonly path: string;
  readonly kind: ChangeKind;
  /** What it is from now on; undefined: nothing is written. */
  readonly text?: string;
  /** For the person. */
  readonly note?: string;
}

type Texts = Readonly<Record<string, string>>;

export interface UpgradeTexts {
  readonly base: Texts;
  /** Of the files that are in either of the two others, those that are there. */
  readonly mine: Texts;
  readonly next: Texts;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function merge(path: string, versions: Versions): Change {
  if (path === 'package.json' && isJson(versions.mine)) {
    const { text, kept } = mergeManifest(versions);
    if (kept.length === 0) return { path, kind: 'merged', text };
    return { path, kind: 'conflict', text, note: `yours stays where both changed: ${kept.join(', ')}` };
  }
  const { text, conflicts } = mergeText(versions);
  if (conflicts === 0) return { path, kind: 'merged', text };
  const places = conflicts === 1 ? '1 place' : `${conflicts} places`;
  return { path, kind: 'conflict', text, note: `${places} to decide, between <<<<<<< and >>>>>>>` };
}

/** A file that the template does not have any more. */
function dropped(path: string, base: string, mine: string | undefined): Change | undefined {
  if (mine === undefined) return undefined;
  if (mine === base) return { path, kind: 'removed' };
  return { path, kind: 'kept', note: 'the template does not have it any more; you changed it' };
}

/** A file that the template has now and had not. */
function introduced(path: string, next: string, mine: string | undefined): Change | undefined {
  if (mine === undefined) return { path, kind: 'added', text: next };
  if (mine === next) return undefined;
  return { path, kind: 'kept', note: 'the template has a file of this name now; yours stays' };
}

const CRLF = '\r\n';
const withoutCrlf = (text: string | undefined): string | undefined => text?.replaceAll(CRLF, '\n');

/** A checkout may end lines otherwise than the template does: no change of the person's, and it stays as it is. */
function endingAs(mine: string | undefined, change: Change): Change {
  const isCrlf = mine?.[mine.indexOf('\n') - 1] === '\r';
  return change.text === undefined || !isCrlf
    ? change
    : { ...change, text: change.text.replaceAll('\n', CRLF) };
}

function changeOf(path: string, { base, mine, next }: UpgradeTexts): Change | undefined {
  const [was, has, will] = [base[path], mine[path], next[path]].map(withoutCrlf);
  if (was === undefined) return will === undefined ? undefined : introduced(path, will, has);
  if (will === undefined) return dropped(path, was, has);
  if (was === will || has === will) return undefined;
  if (has === undefined) return { path, kind: 'kept', note: 'you removed it; the template changed it' };
  return has === was
    ? { path, kind: 'updated', text: will }
    : merge(path, { base: was, mine: has, next: will });
}

/** What an upgrade does, file by file; pure. */
export function planUpgrade(texts: UpgradeTexts): Change[] {
  const paths = [...new Set([...Object.keys(texts.base), ...Object.keys(texts.next)])].sort();
  return paths.flatMap((path) => {
    const change = changeOf(path, texts);
    return change ? [endingAs(texts.mine[path], change)] : [];
  });
}
