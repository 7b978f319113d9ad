import { pythonPreambleOf } from './python-preamble.js';

/** Languages that scripts may be written in, and what Automn calls them. */
export const AUTOMN_LANGUAGES = { node: 'node', python: 'python', bash: 'shell' } as const;

export type AutomnLanguage = keyof typeof AUTOMN_LANGUAGES;

/** On one line: the lines of the script keep their numbers but for one. */
const NODE =
  `globalThis.job ??= Object.freeze({ input: JSON.parse(process.env.INPUT_JSON ?? 'null'), ` +
  `return: (value) => AutomnReturn(value), progress: () => undefined, ` +
  `notify: (message, level = 'info', audience = '') => AutomnNotify(audience, message, level), ` +
  `log: Object.freeze(Object.fromEntries(['debug', 'info', 'warn', 'error'].map((level) => ` +
  `[level, (message) => AutomnLog(message, level)]))) });`;

const PYTHON = `try:
    import job as _job
except ImportError:
    import json as _json, os as _os, sys as _sys, types as _types
    _job = _types.ModuleType("job")
    _job.input = _json.loads(_os.environ.get("INPUT_JSON", "null"))
    _job.returns = lambda value: AutomnReturn(value)
    _job.log = lambda message, level="info": AutomnLog(message, level)
    _job.progress = lambda fraction, message="": None
    _job.notify = lambda message, level="info", audience="": AutomnNotify(audience, message, level)
    _sys.modules["job"] = _job`;

const BASH = `if ! declare -F job_return > /dev/null; then
  job_return() { AutomnReturn "$1"; }
  job_log() { if (($# > 1)); then AutomnLog "$2" "$1"; else AutomnLog "$1" info; fi; }
  job_progress() { :; }
  job_notify() { AutomnNotify "\${3:-}" "$1" "\${2:-info}"; }
fi`;

const firstLine = (code: string): number => /^#![^\n]*\n/.exec(code)?.[0].length ?? 0;

/** Where a line may be put in: behind what has to be first. */
const FIRST: Readonly<Record<AutomnLanguage, (code: string) => number>> = {
  ...{ node: firstLine, python: pythonPreambleOf, bash: firstLine },
};

const SHIMS: Readonly<Record<AutomnLanguage, string>> = { node: NODE, python: PYTHON, bash: BASH };

/**
 * A script of ours as a runner of Automn runs it: what it speaks to its job with is there, in the words of Automn's
 * own functions.
 */
export function withJob(language: AutomnLanguage, code: string): string {
  const first = code.slice(0, FIRST[language](code));
  const isWithinLine = first !== '' && !/[\r\n]$/.test(first);
  return `${first}${isWithinLine ? '\n' : ''}${SHIMS[language]}\n${code.slice(first.length)}`;
}
