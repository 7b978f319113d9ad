// Adding a name here makes it public API.
export { runContract, NothingSelected } from './run-contract/run-contract.js';
export { TargetUnreachable } from './harness/target-unreachable.js';
export { REQUIREMENTS, findRequirement, isScored } from './requirements/requirement.js';
export { selectRequirements } from './requirements/select-requirements.js';
export { ContractReport, REPORT_SCHEMA_VERSION } from './reporters/report.js';
export { ReportEvent } from './reporters/ndjson-reporter.js';
export { REPORT_FORMATS, renderReport } from './reporters/formats.js';
export { renderText } from './reporters/text-reporter.js';
export { renderJson } from './reporters/json-reporter.js';
export { renderJunit } from './reporters/junit-reporter.js';
export { compareReports, renderDifference } from './reporters/compare-reports.js';
export { KnownFailuresInvalid, parseKnownFailures } from './baseline/known-failures.js';
export { ContractValidator } from './validator/contract-validator.js';
export { PredefinedTestSuites, runAllContractTests } from './validator/predefined-suites.js';
export {
  predefinedJobRequest,
  predefinedRunnerRegistration,
  predefinedTruthCoreRequest,
} from './fixtures/predefined.js';
export type { RunContractOptions } from './run-contract/options.js';
export type {
  Target,
  RunnerTarget,
  CommandTarget,
  ControlPlaneTarget,
  ImageTarget,
  UrlTarget,
} from './target/target.js';
export type { Requirement, Level, Profile, Needs } from './requirements/requirement.js';
export type { Selection } from './requirements/select-requirements.js';
export type {
  FindingReport,
  KnownFailureNote,
  KnownFailureState,
  ProfileResult,
  RequirementResult,
  ResultStatus,
  SkippedDelivery,
} from './reporters/report.js';
export type { KnownFailure } from './baseline/known-failures.js';
export type { ReportDifference } from './reporters/compare-reports.js';
export type { ReportFormat } from './reporters/formats.js';
export type { TextOptions } from './reporters/text-reporter.js';
export type {
  ContractTest,
  ContractTestSuite,
  SuiteResult,
  ValidationError,
  ValidationResult,
  ValidationWarning,
} from './validator/contract-validator.js';
export type { AllContractTests } from './validator/predefined-suites.js';
