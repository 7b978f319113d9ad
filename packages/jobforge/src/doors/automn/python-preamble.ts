/** Space between two words: a line may go on behind a backslash. */
const GAP = String.raw`(?:[ \t\f]|\\(?:\r\n|\n|\r))`;
const LINE_END = String.raw`(?:#[^\r\n]*)?(?:\r\n|\n|\r|$)`;
/** Within parentheses lines end anywhere, and a comment may have a parenthesis of its own. */
const NAMES = String.raw`(?:${GAP}*\((?:[^()#]|#[^\r\n]*)*\)|${GAP}+\w(?:[\w,]|${GAP})*)`;

const BLANK = new RegExp(String.raw`\uFEFF?[ \t\f]*(?!$)${LINE_END}`, 'y');
const STATEMENT_END = new RegExp(`${GAP}*(?:;${GAP}*(?:${LINE_END})?|${LINE_END})`, 'y');
const FUTURE = new RegExp(`from${GAP}+__future__${GAP}+import${NAMES}`, 'y');
const QUOTE = /[rRuU]?("""|'''|"|')/y;
const MORE = new RegExp(`${GAP}*`, 'y');

function after(pattern: RegExp, code: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(code) ? pattern.lastIndex : undefined;
}

function afterAll(pattern: RegExp, code: string, at: number): number {
  for (let end = at; ;) {
    const next = after(pattern, code, end);
    if (next === undefined || next === end) return end;
    end = next;
  }
}

/** The end of a string that begins here; undefined where none does, or it does not end. */
function afterString(code: string, at: number): number | undefined {
  const begun = after(QUOTE, code, at);
  if (begun === undefined) return undefined;
  const quote = /['"]+$/.exec(code.slice(at, begun))?.[0] ?? '';
  for (let end = begun; end < code.length; end += 1) {
    if (code.startsWith(quote, end)) return end + quote.length;
    if (code[end] === '\\') end += code.startsWith('\r\n', end + 1) ? 2 : 1;
    else if (quote.length === 1 && /[\r\n]/.test(code[end] ?? '')) return undefined;
  }
  return undefined;
}

/** Of several strings, one after the other, Python makes one. */
function afterDocstring(code: string, at: number): number | undefined {
  let end: number | undefined;
  for (let next = afterString(code, at); next !== undefined;) {
    end = next;
    next = afterString(code, after(MORE, code, next) ?? next);
  }
  return end === undefined ? undefined : after(STATEMENT_END, code, end);
}

/** Characters of a script in Python that have to stay first: comments, its docstring, and what it imports from `__future__`. */
export function pythonPreambleOf(code: string): number {
  let end = afterAll(BLANK, code, 0);
  end = afterDocstring(code, end) ?? end;
  for (;;) {
    end = afterAll(BLANK, code, end);
    const imported = after(FUTURE, code, end);
    const next = imported === undefined ? undefined : after(STATEMENT_END, code, imported);
    if (next === undefined) return end;
    end = next;
  }
}
