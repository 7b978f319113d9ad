import {
  JobRequest,
  JobResponse,
  RunnerRegistrationRequest,
  TruthCoreRequest,
  TruthCoreResponse,
} from '@controlplane/contracts';
import {
  predefinedJobRequest,
  predefinedRunnerRegistration,
  predefinedTruthCoreRequest,
} from '../fixtures/predefined.js';
import { ContractValidator, type ContractTestSuite } from './contract-validator.js';

const AT = '2026-01-31T12:00:01.000Z';

const jobResponse = {
  id: predefinedJobRequest.id,
  status: 'completed',
  request: predefinedJobRequest,
  result: { success: true, data: { text: 'hello' }, metadata: { completedAt: AT, durationMs: 1000 } },
  updatedAt: AT,
};

const truthCoreResponse = {
  requestId: predefinedTruthCoreRequest.id,
  success: true,
  data: { assertions: [] },
  timestamp: AT,
};

const without = (message: object, member: string): object =>
  Object.fromEntries(Object.entries(message).filter(([key]) => key !== member));

/** Tests of the schemas themselves, with the predefined messages. */
export const PredefinedTestSuites: readonly ContractTestSuite[] = [
  {
    name: 'JobForge Contract Tests',
    tests: [
      {
        name: 'valid-job-request',
        description: 'A complete job request is valid',
        schema: JobRequest,
        testData: predefinedJobRequest,
        expectedValid: true,
      },
      {
        name: 'invalid-job-request-missing-id',
        description: 'A job request without id is not',
        schema: JobRequest,
        testData: without(predefinedJobRequest, 'id'),
        expectedValid: false,
      },
      {
        name: 'valid-job-response',
        description: 'A completed job is valid',
        schema: JobResponse,
        testData: jobResponse,
        expectedValid: true,
      },
    ],
  },
  {
    name: 'Runner Contract Tests',
    tests: [
      {
        name: 'valid-runner-registration',
        description: 'A registration is valid',
        schema: RunnerRegistrationRequest,
        testData: predefinedRunnerRegistration,
        expectedValid: true,
      },
      {
        name: 'invalid-runner-missing-name',
        description: 'A registration without name is not',
        schema: RunnerRegistrationRequest,
        testData: without(predefinedRunnerRegistration, 'name'),
        expectedValid: false,
      },
    ],
  },
  {
    name: 'TruthCore Contract Tests',
    tests: [
      {
        name: 'valid-truthcore-request',
        description: 'A request is valid',
        schema: TruthCoreRequest,
        testData: predefinedTruthCoreRequest,
        expectedValid: true,
      },
      {
        name: 'valid-truthcore-response',
        description: 'A response is valid',
        schema: TruthCoreResponse,
        testData: truthCoreResponse,
        expectedValid: true,
      },
    ],
  },
];

/** What {@link runAllContractTests} found. */
export interface AllContractTests {
  readonly passed: number;
  readonly failed: number;
  /** A line for each suite. */
  readonly details: readonly string[];
}

/** Runs the predefined suites. They test the schemas; a runner is judged by runContract. */
export function runAllContractTests(): AllContractTests {
  const validator = new ContractValidator();
  const outcomes = PredefinedTestSuites.map((suite) => ({ suite, ...validator.runTestSuite(suite) }));
  return {
    passed: outcomes.reduce((sum, { passed }) => sum + passed, 0),
    failed: outcomes.reduce((sum, { failed }) => sum + failed, 0),
    details: outcomes.map(({ suite, passed, failed }) => `${suite.name}: ${passed} passed, ${failed} failed`),
  };
}
