import { expect, it } from 'vitest';
import * as kit from './index.js';

it('exports these names', () => {
  expect(Object.keys(kit).toSorted()).toMatchInlineSnapshot(`
    [
      "ContractReport",
      "ContractValidator",
      "KnownFailuresInvalid",
      "NothingSelected",
      "PredefinedTestSuites",
      "REPORT_FORMATS",
      "REPORT_SCHEMA_VERSION",
      "REQUIREMENTS",
      "ReportEvent",
      "TargetUnreachable",
      "compareReports",
      "findRequirement",
      "isScored",
      "parseKnownFailures",
      "predefinedJobRequest",
      "predefinedRunnerRegistration",
      "predefinedTruthCoreRequest",
      "renderDifference",
      "renderJson",
      "renderJunit",
      "renderReport",
      "renderText",
      "runAllContractTests",
      "runContract",
      "selectRequirements",
    ]
  `);
});
