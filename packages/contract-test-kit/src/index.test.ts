import { expect, it } from 'vitest';
import * as kit from './index.js';

it('exports these names', () => {
  expect(Object.keys(kit).toSorted()).toMatchInlineSnapshot(`
    [
      "ContractReport",
      "ContractValidator",
      "NothingSelected",
      "PredefinedTestSuites",
      "REPORT_SCHEMA_VERSION",
      "REQUIREMENTS",
      "TargetUnreachable",
      "findRequirement",
      "predefinedJobRequest",
      "predefinedRunnerRegistration",
      "predefinedTruthCoreRequest",
      "renderJson",
      "renderJunit",
      "renderText",
      "runAllContractTests",
      "runContract",
      "selectRequirements",
    ]
  `);
});
