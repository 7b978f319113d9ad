import { readFileSync } from 'node:fs';
import { KnownFailuresInvalid, parseKnownFailures, type KnownFailure } from '../baseline/known-failures.js';
import { isReportFormat, REPORT_FORMATS, type ReportFormat } from '../reporters/formats.js';
import { Profile } from '../requirements/requirement.js';
import type { RunContractOptions } from '../run-contract/options.js';
import { DeliveryKind } from '../target/delivery.js';
import { UsageError } from './exit-codes.js';

/** Flags of `contract-test run`, as commander reads them. */
export interface RunFlags {
  readonly url?: string;
  readonly command?: string;
  readonly image?: string;
  readonly network?: string;
  readonly env?: readonly string[];
  readonly cwd?: string;
  readonly controlPlane?: string;
  readonly token?: string;
  readonly controlPlanePort?: string;
  readonly delivery?: string;
  readonly run?: readonly string[];
  readonly profile?: readonly string[];
  readonly input?: readonly string[];
  readonly allowWrites?: readonly string[];
  readonly leaveOut?: readonly string[];
  readonly report?: readonly string[];
  readonly json?: boolean;
  readonly timeout?: string;
  readonly startTimeout?: string;
  readonly seed?: string;
  readonly strict?: boolean;
  readonly knownFailures?: string;
  readonly config?: string;
}

/** One report to write; without a path it goes to stdout. */
export interface ReportRequest {
  readonly format: ReportFormat;
  readonly path: string | undefined;
}

/** What a timer can hold, in milliseconds. */
const LONGEST_MS = 2_147_483_647;

/** Reads a whole number within bounds. */
export function wholeNumber(
  name: string,
  text: string | undefined,
  [least, most]: readonly [number, number],
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least || value > most)
    throw new UsageError(`--${name} takes a whole number from ${least} to ${most}, not "${text}"`);
  return value;
}

function parseInputs(texts: readonly string[] = []): Record<string, Record<string, unknown>> {
  const inputs: Record<string, Record<string, unknown>> = {};
  for (const text of texts) {
    const at = text.indexOf('=');
    let value: unknown;
    try {
      value = JSON.parse(text.slice(at + 1));
    } catch {
      value = undefined;
    }
    if (at < 1 || typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new UsageError(`--input takes CAPABILITY={…}, a JSON object, not "${text}"`);
    }
    inputs[text.slice(0, at)] = value as Record<string, unknown>;
  }
  return inputs;
}

/** Reads names of profiles. */
export function parseProfiles(names: readonly string[] | undefined): Profile[] | undefined {
  return names?.map((name) => {
    const profile = Profile.safeParse(name);
    if (!profile.success)
      throw new UsageError(`there is no profile "${name}"; there are ${Profile.options.join(', ')}`);
    return profile.data;
  });
}

function parseDelivery(name: string | undefined): RunContractOptions['delivery'] {
  if (name === undefined || name === 'all') return name;
  const delivery = DeliveryKind.safeParse(name);
  if (!delivery.success)
    throw new UsageError(`--delivery takes ${DeliveryKind.options.join(', ')} or all, not "${name}"`);
  return delivery.data;
}

function readKnownFailures(path: string | undefined): readonly KnownFailure[] {
  if (path === undefined) return [];
  try {
    return parseKnownFailures(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof KnownFailuresInvalid) throw new UsageError(`${path}: ${error.message}`);
    throw new UsageError(`--known-failures: "${path}" cannot be read (${(error as Error).message})`);
  }
}

/** Reads how the runner is to be judged. */
export function parseRunOptions(flags: RunFlags): RunContractOptions {
  return {
    run: flags.run,
    delivery: parseDelivery(flags.delivery),
    profiles: parseProfiles(flags.profile),
    timeoutMs: wholeNumber('timeout', flags.timeout, [100, LONGEST_MS]),
    startTimeoutMs: wholeNumber('start-timeout', flags.startTimeout, [100, LONGEST_MS]),
    seed: wholeNumber('seed', flags.seed, [0, Number.MAX_SAFE_INTEGER]),
    strict: flags.strict ?? false,
    inputs: parseInputs(flags.input),
    allowWrites: flags.allowWrites,
    leaveOut: flags.leaveOut,
    knownFailures: readKnownFailures(flags.knownFailures),
  };
}

/** Reads which reports to write. At most one goes to stdout. */
export function parseReports(flags: RunFlags): readonly ReportRequest[] {
  const requests = (flags.report ?? []).map((text): ReportRequest => {
    const [format = '', ...rest] = text.split('=');
    if (!isReportFormat(format))
      throw new UsageError(
        `--report takes ${REPORT_FORMATS.join(', ')}, with =PATH to write a file, not "${text}"`,
      );
    const path = rest.join('=');
    return { format, path: path === '' ? undefined : path };
  });
  if (flags.json) requests.unshift({ format: 'json', path: undefined });
  const toStdout = requests.filter(({ path }) => path === undefined);
  if (toStdout.length > 1)
    throw new UsageError(
      'only one report can go to stdout: give the others a path, as in --report junit=report.xml',
    );
  return toStdout.length === 0 ? [...requests, { format: 'text', path: undefined }] : requests;
}
