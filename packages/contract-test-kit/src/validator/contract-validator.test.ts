import { HealthCheck, JobRequest, RunnerRegistrationRequest } from '@controlplane/contracts';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { predefinedJobRequest, predefinedRunnerRegistration } from '../fixtures/predefined.js';
import { ContractValidator } from './contract-validator.js';
import { PredefinedTestSuites, runAllContractTests } from './predefined-suites.js';

describe('ContractValidator', () => {
  it('tells path, message, code and value of what is wrong', () => {
    const { valid, errors } = new ContractValidator().validate(JobRequest, {
      ...predefinedJobRequest,
      priority: 500,
    });
    expect(valid).toBe(false);
    expect(errors).toEqual([{ path: 'priority', message: expect.any(String), code: 'too_big', value: 500 }]);
  });

  it('judges the same data by the schema that it is given', () => {
    const validator = new ContractValidator();
    const data = { a: 1 };
    const job = validator.validate(JobRequest, data);
    const health = validator.validate(HealthCheck, data);
    expect(health.errors.map(({ path }) => path)).toContain('service');
    expect(job.errors.map(({ path }) => path)).not.toContain('service');
  });

  it('tells two long values apart that differ at their ends only', () => {
    const schema = z.object({ text: z.string().regex(/a$/) });
    const long = 'x'.repeat(2_000);
    const validator = new ContractValidator();
    expect(validator.validate(schema, { text: `${long}a` }).valid).toBe(true);
    expect(validator.validate(schema, { text: `${long}b` }).valid).toBe(false);
  });

  it('warns of members that the schema does not know', () => {
    const { valid, warnings } = new ContractValidator().validate(RunnerRegistrationRequest, {
      ...predefinedRunnerRegistration,
      tagz: [],
    });
    expect(valid).toBe(true);
    expect(warnings).toEqual([expect.objectContaining({ path: 'tagz', code: 'unknown_member' })]);
  });

  it('does not miss members in partial data, and checks those that are there', () => {
    const validator = new ContractValidator();
    expect(validator.validatePartial(JobRequest, { type: 'x' }).valid).toBe(true);
    expect(validator.validatePartial(JobRequest, { type: 7 }).valid).toBe(false);
  });

  it('remembers results by context until they are cleared', () => {
    const validator = new ContractValidator();
    validator.validate(JobRequest, predefinedJobRequest, 'a job');
    validator.validate(JobRequest, predefinedJobRequest);
    expect([...validator.getResults().keys()]).toEqual(['a job']);
    validator.clearResults();
    expect(validator.getResults().size).toBe(0);
  });

  it('counts a test as passed when its data is as valid as expected', () => {
    const tests = [true, false].map((expectedValid) => ({
      name: `expects ${expectedValid}`,
      description: '',
      schema: z.string(),
      testData: 'text',
      expectedValid,
    }));
    const { passed, failed, results } = new ContractValidator().runTestSuite({ name: 'suite', tests });
    expect({ passed, failed, names: [...results.keys()] }).toEqual({
      passed: 1,
      failed: 1,
      names: ['suite.expects true', 'suite.expects false'],
    });
  });
});

describe('the predefined suites', () => {
  it('are seven tests of the schemas, and pass', () => {
    expect(PredefinedTestSuites.map(({ tests }) => tests.length)).toEqual([3, 2, 2]);
    expect(runAllContractTests()).toMatchObject({
      passed: 7,
      failed: 0,
      details: expect.arrayContaining(['Runner Contract Tests: 2 passed, 0 failed']),
    });
  });
});
