import type { ContractReport, FindingReport, RequirementResult } from './report.js';

/** What stands where a secret was. */
export const REDACTED = '[redacted]';

/** Shorter values are no secrets, and would tear ordinary words apart. */
const SHORTEST_SECRET = 8;

/** The current folder, PWD, is none. */
const SECRET_NAME =
  /(?:^|_)(?:TOKENS?|SECRETS?|PASSWD|PASSPHRASE|KEY|APIKEY|CREDENTIALS?|COOKIE|DSN)(?:_|$)|PASSWORD|_(?:PWD|PASS|PAT|AUTH)$/i;

/** What looks like a secret wherever it stands; the first group, where there is one, is kept. */
const SECRET_SHAPES: readonly RegExp[] = [
  /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?-----END [A-Z ]{0,30}PRIVATE KEY-----/g,
  /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g,
  /\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|npm_[A-Za-z0-9]{30,})/g,
  /\b((?:Bearer|Basic) )[\w.~+/=-]{8,}/gi,
  /\b((?:x-api-key|proxy-authorization|set-cookie|cookie) ?: ?)[^'"\r\n]+/gi,
  /(:\/\/)[^/\s:@'"]{0,200}:[^/\s@'"]{1,200}(?=@)/g,
  /("(?:password|passphrase|secret|token|api_?key|client_?secret|access_?token|refresh_?token|private_?key|authorization)"\s*:\s*)"(?:[^"\\]|\\.)*"/gi,
  /\b((?:[A-Z0-9_]{0,64}(?:TOKEN|SECRET|PASSWORD|PASSPHRASE|API_?KEY)[A-Z0-9_]{0,64}|[A-Z0-9_]{1,64}_(?:PWD|PASS|PAT|AUTH))=)(?:'\\''.*?'\\''|"[^"]*"|'[^']*'|[^\s'"]+)/g,
];

/** Takes secrets out of texts and counts them. */
export interface Redactor {
  (text: string): string;
  /** Secrets that were taken out so far. */
  count(): number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The values to look for, as they are and as JSON, URLs and a shell's quotes write them; longest first. */
function secretValues(environments: readonly Environment[]): string[] {
  const values = environments
    .flatMap((environment) => Object.entries(environment))
    .flatMap(([name, value = '']) =>
      SECRET_NAME.test(name) && value.length >= SHORTEST_SECRET ? [value] : [],
    );
  const forms = values.flatMap((value) => [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    value.replaceAll("'", `'\\''`),
  ]);
  return [...new Set(forms)].toSorted((left, right) => right.length - left.length);
}

/**
 * Takes out the values of environment variables whose names say that they are secret (`…_TOKEN`, `…_SECRET`,
 * `…_PASSWORD`, `…_KEY`, `…_PWD` …; from 8 characters), and what looks like a secret by its shape: bearer tokens, JSON
 * web tokens, private keys, passwords in URLs and in JSON members.
 * @param environments - where the secrets of this run are known from
 */
export function createRedactor(environments: readonly Environment[]): Redactor {
  const values = secretValues(environments);
  let count = 0;
  const redact = (text: string): string => {
    let clean = text;
    for (const value of values) {
      const parts = clean.split(value);
      count += parts.length - 1;
      clean = parts.join(REDACTED);
    }
    for (const shape of SECRET_SHAPES)
      clean = clean.replace(shape, (match: string, kept: unknown) => {
        const next = `${typeof kept === 'string' ? kept : ''}${REDACTED}`;
        // What was taken out by its value is not counted again by its shape.
        if (!match.includes(REDACTED)) count += 1;
        return next;
      });
    return clean;
  };
  return Object.assign(redact, { count: () => count });
}

function redactFinding(
  { sent, expected, actual, timeline, again, curl }: FindingReport,
  redact: Redactor,
): FindingReport {
  return {
    sent: redact(sent),
    expected: redact(expected),
    actual: redact(actual),
    ...(timeline === undefined
      ? {}
      : { timeline: timeline.map(({ afterMs, text }) => ({ afterMs, text: redact(text) })) }),
    again: redact(again),
    ...(curl === undefined ? {} : { curl: redact(curl) }),
  };
}

function redactResult(result: RequirementResult, redact: Redactor): RequirementResult {
  const { reason, finding, known } = result;
  return {
    ...result,
    ...(reason === undefined ? {} : { reason: redact(reason) }),
    ...(finding === undefined ? {} : { finding: redactFinding(finding, redact) }),
    ...(known === undefined ? {} : { known: { ...known, reason: redact(known.reason) } }),
  };
}

/** The report without secrets, in every text that comes from the runner, its command or its user. */
export function redactReport(report: ContractReport, redact: Redactor): ContractReport {
  const { name, version, capabilities, features, source, deliveries, skippedDeliveries } = report.runner;
  const results = report.results.map((result) => redactResult(result, redact));
  return {
    ...report,
    target: redact(report.target),
    runner: {
      ...(name === undefined ? {} : { name: redact(name) }),
      ...(version === undefined ? {} : { version: redact(version) }),
      capabilities: capabilities.map(redact),
      features: features.map(redact),
      ...(deliveries === undefined ? {} : { deliveries }),
      ...(skippedDeliveries === undefined
        ? {}
        : {
            skippedDeliveries: skippedDeliveries.map(({ delivery, reason }) => ({
              delivery,
              reason: redact(reason),
            })),
          }),
      source,
    },
    results,
    redactions: report.redactions + redact.count(),
  };
}
