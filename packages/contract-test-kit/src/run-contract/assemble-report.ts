import { noteOf } from '../baseline/known-failures.js';
import type { Finding } from '../case/verdict.js';
import { showReply, shorten } from '../case/wire-rules.js';
import { CANARIES } from '../harness/canaries.js';
import type { RunnerDescription } from '../harness/runner-description.js';
import { curlOf, shellQuote } from '../reporters/curl.js';
import { createRedactor, redactReport } from '../reporters/redact-report.js';
import { failsRun } from '../reporters/report-words.js';
import {
  REPORT_SCHEMA_VERSION,
  type ContractReport,
  type FindingReport,
  type ProfileResult,
  type RequirementResult,
  type ResultStatus,
  type SkippedDelivery,
} from '../reporters/report.js';
import { timelineOf } from '../reporters/timeline.js';
import {
  isScored,
  JUDGED_CONTRACT,
  Profile,
  type Level,
  type Requirement,
} from '../requirements/requirement.js';
import { givenVariables, type ImageTarget, type Target } from '../target/target.js';
import type { DeliveryKind } from '../target/delivery.js';
import type { JudgedCase } from './judge-case.js';
import type { MergedCase } from './merge-deliveries.js';
import type { ResolvedRunOptions } from './options.js';

export interface ReportParts {
  readonly target: Target;
  readonly options: ResolvedRunOptions;
  readonly description: RunnerDescription;
  /** Those that were judged over. */
  readonly deliveries: readonly DeliveryKind[];
  /** Those that were to be judged over, and why they were not. */
  readonly skipped?: readonly SkippedDelivery[];
  readonly judged: readonly MergedCase[];
  readonly startedAt: Date;
  readonly durationMs: number;
}

/** Variables by their names alone, whatever these are: a report is no place for their values. */
function imageFlags({ image, network, env = {} }: ImageTarget): string {
  const wanted = network === undefined ? '' : ` --network ${network}`;
  const variables = Object.keys(env).map((name) => ` --env ${shellQuote(name)}`);
  return `--image ${shellQuote(image)}${wanted}${variables.join('')}`;
}

function targetFlags(target: Target): string {
  if (target.kind === 'command') {
    const folder = target.cwd === undefined ? '' : ` --cwd ${shellQuote(target.cwd)}`;
    return `--command ${shellQuote(target.command)}${folder}`;
  }
  if (target.kind === 'image') return imageFlags(target);
  if (target.kind === 'control-plane') return `--control-plane ${shellQuote(target.url)}`;
  const port =
    target.controlPlanePort === undefined ? '' : ` --control-plane-port ${target.controlPlanePort}`;
  return `--url ${shellQuote(target.url)}${port}`;
}

function sentText({ sent, exchange }: Finding): string {
  if (sent !== undefined) return sent;
  if (!exchange) return '(nothing)';
  const { method, url, body } = exchange.request;
  const text = typeof body === 'string' && body !== '' ? body : '';
  return shorten(`${method} ${new URL(url).pathname} ${text}`.trim());
}

/** Where a runner was judged over several deliveries, a finding says over which it was made. */
function deliveryFlag(delivery: DeliveryKind, { options }: ReportParts): string {
  return options.delivery === undefined ? '' : ` --delivery ${delivery}`;
}

/** The flags that say which capabilities are called with what; the input that broke something comes first again. */
function inputFlags({ input }: Finding, options: ResolvedRunOptions): string {
  const made = input && isInput(input.value) ? { [input.capabilityId]: input.value } : {};
  return [
    ...options.leaveOut.map((id) => ` --leave-out ${shellQuote(id)}`),
    ...options.allowWrites.map((id) => ` --allow-writes ${shellQuote(id)}`),
    ...Object.entries({ ...options.inputs, ...made }).map(
      ([name, value]) => ` --input ${shellQuote(`${name}=${JSON.stringify(value)}`)}`,
    ),
  ].join('');
}

const isInput = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function reportFinding(
  finding: Finding,
  { requirement: { id }, delivery }: MergedCase,
  parts: ReportParts,
): FindingReport {
  const { target, options } = parts;
  const timeline = finding.exchange && timelineOf(finding.exchange);
  const curl = delivery === 'push' && finding.exchange ? curlOf(finding.exchange.request) : undefined;
  const over = parts.deliveries.length > 1 ? `over ${delivery}: ` : '';
  return {
    sent: over + sentText(finding),
    expected: finding.expected,
    actual: finding.actual === '' && finding.exchange ? showReply(finding.exchange) : finding.actual,
    ...(timeline === undefined ? {} : { timeline }),
    again: `npx contract-test run ${targetFlags(target)}${deliveryFlag(delivery, parts)}${inputFlags(finding, options)} --run ${id} --seed ${options.seed}`,
    ...(curl === undefined ? {} : { curl }),
  };
}

const BROKEN: Readonly<Record<Level, ResultStatus>> = {
  MUST: 'failed',
  SHOULD: 'warned',
  MAY: 'not-applicable',
};

const STATUS: Readonly<Record<JudgedCase['outcome']['kind'], (requirement: Requirement) => ResultStatus>> = {
  kept: () => 'passed',
  broken: ({ level }) => BROKEN[level],
  'not-applicable': () => 'not-applicable',
  'not-evaluable': () => 'not-evaluable',
  'kit-fault': () => 'error',
};

/**
 * Whether a result alone refuses the certificate. What needs a fixture is optional for a runner that
 * offers no fixture at all: it has declared to be judged by its own capabilities.
 */
function breaksConformance(
  status: ResultStatus,
  requirement: Requirement,
  { description, options }: ReportParts,
): boolean {
  if (!isScored(requirement)) return false;
  if (status === 'failed') return true;
  if (status === 'warned') return options.strict;
  if (status !== 'not-evaluable') return false;
  const offersFixtures = description.capabilities.some(({ id }) => id.startsWith('conformance.'));
  const optional = requirement.level !== 'MUST' || (requirement.fixture !== undefined && !offersFixtures);
  return options.strict || !optional;
}

function toResult(merged: MergedCase, parts: ReportParts): RequirementResult {
  const { requirement, outcome, durationMs, over } = merged;
  const status = STATUS[outcome.kind](requirement);
  const { id, level, profile, section, statement } = requirement;
  const isUnusedMay = outcome.kind === 'broken' && level === 'MAY';
  const entry = parts.options.knownFailures.find((known) => known.id === id);
  return {
    id,
    level,
    profile,
    section,
    statement,
    status,
    ...(isScored(requirement) ? {} : { scored: false }),
    durationMs: Math.round(durationMs * 10) / 10,
    breaksConformance: breaksConformance(status, requirement, parts),
    ...('reason' in outcome ? { reason: outcome.reason } : {}),
    ...(isUnusedMay ? { reason: 'a runner may do so, and this one does not' } : {}),
    ...('finding' in outcome && !isUnusedMay
      ? { finding: reportFinding(outcome.finding, merged, parts) }
      : {}),
    ...(parts.deliveries.length > 1
      ? { deliveries: over.map(({ delivery, kind }) => ({ delivery, status: STATUS[kind](requirement) })) }
      : {}),
    ...(entry ? { known: noteOf(entry, status, parts.startedAt) } : {}),
  };
}

function profilesOf(results: readonly RequirementResult[]): ProfileResult[] {
  const judged = new Set(results.map(({ profile }) => profile));
  return Profile.options
    .filter((profile) => judged.has(profile))
    .map((profile) => {
      const own = results.filter((result) => result.profile === profile);
      // What may stay unjudged counts neither for the runner nor against it.
      const claimed = own.some(
        ({ status, breaksConformance }) =>
          status !== 'not-applicable' && (status !== 'not-evaluable' || breaksConformance),
      );
      return {
        profile,
        claimed,
        conformant: claimed && !own.some((result) => result.breaksConformance || result.status === 'error'),
      };
    });
}

/** Every secret that the kit can know of: what the runner's environment holds, and what it was planted with. */
function redactorOf({ target, options }: ReportParts) {
  const token = target.kind === 'control-plane' && target.token ? { PLANE_TOKEN: target.token } : {};
  const planted = Object.fromEntries(CANARIES.map((value, index) => [`PLANTED_${index}_SECRET`, value]));
  return createRedactor([options.environment, givenVariables(target), token, planted]);
}

/** Puts the outcomes of a run together, without secrets: every report is made from what this returns. */
export function assembleReport(parts: ReportParts): ContractReport {
  return redactReport(wholeReport(parts), redactorOf(parts));
}

function wholeReport(parts: ReportParts): ContractReport {
  const { description, options } = parts;
  const results = parts.judged.map((judged) => toResult(judged, parts));
  const count = (status: ResultStatus): number => results.filter((result) => result.status === status).length;
  const profiles = profilesOf(results);
  const isClaimed = profiles.some(({ claimed }) => claimed);
  return {
    schemaVersion: REPORT_SCHEMA_VERSION,
    contract: JUDGED_CONTRACT,
    target: targetFlags(parts.target),
    seed: options.seed,
    strict: options.strict,
    startedAt: parts.startedAt.toISOString(),
    durationMs: Math.round(parts.durationMs),
    runner: {
      ...(description.name === undefined ? {} : { name: description.name }),
      ...(description.version === undefined ? {} : { version: description.version }),
      capabilities: description.capabilities.map(({ id }) => id),
      features: [...description.features],
      deliveries: [...parts.deliveries],
      ...(parts.skipped === undefined ? {} : { skippedDeliveries: [...parts.skipped] }),
      source: description.source,
    },
    conformant: isClaimed && profiles.every(({ claimed, conformant }) => !claimed || conformant),
    ok: isClaimed && !results.some(failsRun),
    profiles,
    summary: {
      passed: count('passed'),
      failed: count('failed'),
      warned: count('warned'),
      notApplicable: count('not-applicable'),
      notEvaluable: count('not-evaluable'),
      error: count('error'),
    },
    redactions: 0,
    results,
  };
}
