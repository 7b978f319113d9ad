import type { Log, ReportingDescriptor, Result } from 'sarif';
import type { ContractReport, RequirementResult } from './report.js';
import { failsRun, findingRows, knownText } from './report-words.js';

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

/**
 * The file that the findings are shown at: code hosts refuse results without one. It is the first word of the
 * command that looks like a relative path to a program's file; where there is none, the root of the repository.
 */
function sourceFile(target: string): string {
  const words = target.split(/[\s'"=]+/).filter((word) => !/^[-/]|:\/\/|\.\.|\[redacted\]/.test(word));
  const file = words.find((word) => /^(?:\.\/)?[\w@][\w@./-]*\.[A-Za-z]{1,5}$/.test(word));
  return file === undefined ? '.' : encodeURI(file.replace(/^\.\//, ''));
}

function ruleOf({ id, statement, level, section, profile }: RequirementResult): ReportingDescriptor {
  return {
    id,
    shortDescription: { text: statement },
    fullDescription: { text: `${level}, contract ${section}: ${statement}` },
    help: { text: `npx contract-test explain ${id}` },
    defaultConfiguration: { level: level === 'MUST' ? 'error' : 'warning' },
    properties: { level, section, profile, tags: ['contract', profile] },
  };
}

function messageText(result: RequirementResult): string {
  const { known, reason, statement } = result;
  const rows = findingRows(result)
    .filter(([label]) => label !== 'curl')
    .map(([label, text]) => `${label}: ${text}`);
  const lines = rows.length > 0 ? rows : [statement, ...(reason === undefined ? [] : [reason])];
  return [...lines, ...(known ? [knownText(known)] : [])].join('\n');
}

function resultOf(result: RequirementResult, ruleIndex: number, uri: string): Result {
  const { id, known, scored, status } = result;
  const counts = failsRun(result) || (status === 'failed' && scored !== false);
  return {
    ruleId: id,
    ruleIndex,
    kind: 'fail',
    level: counts ? 'error' : 'warning',
    message: { text: messageText(result) },
    locations: [
      {
        physicalLocation: { artifactLocation: { uri }, region: { startLine: 1 } },
        logicalLocations: [{ fullyQualifiedName: id }],
      },
    ],
    partialFingerprints: { 'requirement/v1': id },
    ...(known?.state === 'accepted'
      ? { suppressions: [{ kind: 'external', status: 'accepted', justification: knownText(known) }] }
      : {}),
  };
}

/** The report as SARIF 2.1.0: a rule for each requirement, a result for each that is not kept. */
export function renderSarif(report: ContractReport): string {
  const uri = sourceFile(report.target);
  const faults = report.results.filter(({ status }) => status === 'error');
  const found = report.results.flatMap((result, index) =>
    result.status !== 'error' && (failsRun(result) || ['failed', 'warned'].includes(result.status))
      ? [resultOf(result, index, uri)]
      : [],
  );
  const log: Log = {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'contract-test', rules: report.results.map(ruleOf) } },
        automationDetails: { id: `contract-test/${report.contract}/` },
        invocations: [
          {
            executionSuccessful: faults.length === 0,
            startTimeUtc: report.startedAt,
            toolExecutionNotifications: faults.map(({ id, reason = '' }) => ({
              level: 'error',
              message: { text: `fault of the kit, not of the runner: ${reason}` },
              associatedRule: { id },
            })),
          },
        ],
        results: found,
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}
