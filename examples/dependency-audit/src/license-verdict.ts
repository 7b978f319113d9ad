/** How freely a license lets its package be used: `copyleft` and `unknown` are for a person to look at. */
export type Verdict = 'permissive' | 'copyleft' | 'unknown';

const PERMISSIVE =
  /^(0BSD|AFL-[\d.]+|Apache-[\d.]+|Artistic-2\.0|BlueOak-1\.0\.0|BSD(-\w+)*|BSL-1\.0|CC0-1\.0|CC-BY-[\d.]+|ISC|MIT(-0)?|NCSA|PostgreSQL|PSF-2\.0|Python-2\.0(\.1)?|Unicode-\w+(-[\d.]+)?|Unlicense|UPL-1\.0|W3C|WTFPL|X11|Zlib)$/i;
const COPYLEFT = /^(A?GPL|LGPL|MPL|EPL|EUPL|CDDL|CPL|OSL|MS-RL|CC-BY-(NC-)?SA|SSPL|CECILL)(-|$)/i;

/** How licenses were named before SPDX; still in many packages. */
const OLD_NAMES: Record<string, string> = {
  'apache 2.0': 'Apache-2.0',
  'apache license 2.0': 'Apache-2.0',
  'apache license, version 2.0': 'Apache-2.0',
  apache2: 'Apache-2.0',
  'mit license': 'MIT',
  'the mit license': 'MIT',
  'mit/x11': 'MIT',
  'public domain': 'CC0-1.0',
};

/** The license as package.json states it, or an empty text. Reads the old `licenses: [{ type }]` too. */
export function statedLicense(manifest: Readonly<Record<string, unknown>>): string {
  const { license, licenses } = manifest;
  if (Array.isArray(licenses) && license === undefined)
    return licenses.map(nameOf).filter(Boolean).join(' OR ');
  return nameOf(license);
}

function nameOf(license: unknown): string {
  if (typeof license === 'string') return OLD_NAMES[license.trim().toLowerCase()] ?? license.trim();
  if (typeof license === 'object' && license !== null && 'type' in license) return nameOf(license.type);
  return '';
}

/** Judges an SPDX expression: of `OR` the freest side counts, of `AND` the strictest. */
export function judgeLicense(expression: string): Verdict {
  const tokens = expression.match(/[()]|[^\s()]+/g) ?? [];
  const position = { tokens, next: 0 };
  const verdict = judgeAlternatives(position);
  return verdict !== undefined && position.next === tokens.length ? verdict : 'unknown';
}

interface Position {
  readonly tokens: readonly string[];
  next: number;
}

const ORDER: Verdict[] = ['permissive', 'copyleft', 'unknown'];
const freest = (a: Verdict, b: Verdict): Verdict => (ORDER.indexOf(a) < ORDER.indexOf(b) ? a : b);
const strictest = (a: Verdict, b: Verdict): Verdict => (ORDER.indexOf(a) > ORDER.indexOf(b) ? a : b);

const judgeAlternatives = (position: Position): Verdict | undefined => judgeChain(position, 'OR');

/** `a OR b OR c` of chains of `AND`, which bind tighter. Undefined where the expression is malformed. */
function judgeChain(position: Position, word: 'OR' | 'AND'): Verdict | undefined {
  const judgeOperand = word === 'OR' ? (at: Position) => judgeChain(at, 'AND') : judgeSingle;
  let verdict = judgeOperand(position);
  while (verdict !== undefined && position.tokens[position.next]?.toUpperCase() === word) {
    position.next += 1;
    const other = judgeOperand(position);
    verdict = other === undefined ? undefined : (word === 'OR' ? freest : strictest)(verdict, other);
  }
  return verdict;
}

function judgeSingle(position: Position): Verdict | undefined {
  const token = position.tokens[position.next];
  if (token === undefined || token === ')') return undefined;
  position.next += 1;
  if (token === '(') {
    const verdict = judgeAlternatives(position);
    if (position.tokens[position.next] !== ')') return undefined;
    position.next += 1;
    return verdict;
  }
  if (position.tokens[position.next]?.toUpperCase() === 'WITH') position.next += 2;
  return judgeId(token);
}

function judgeId(id: string): Verdict {
  const bare = id.replace(/\+$/, '');
  if (PERMISSIVE.test(bare)) return 'permissive';
  return COPYLEFT.test(bare) ? 'copyleft' : 'unknown';
}
