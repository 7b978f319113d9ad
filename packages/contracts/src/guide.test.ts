import { describe, expect, it } from 'vitest';
import {
  createErrorEnvelope,
  executeForm,
  JobSubmission,
  RunnerExecutionRequest,
  RunnerExecutionResponse,
  RunnerHealth,
  RunnerHeartbeat,
  RunnerRegistrationRequest,
  servesJob,
  toExecutionRequest,
} from './index.js';

const registration = {
  name: 'my-runner',
  version: '1.0.0',
  contractVersion: { major: 1, minor: 0, patch: 0 },
  capabilities: [
    {
      id: 'my-capability',
      name: 'My Capability',
      version: '1.0.0',
      description: 'Does something useful',
      inputSchema: { type: 'object' },
      outputSchema: { type: 'object' },
      supportedJobTypes: ['my.job.type'],
      maxConcurrency: 5,
      timeoutMs: 30_000,
      resourceRequirements: {},
    },
  ],
  healthCheckEndpoint: 'http://localhost:3000/health',
  tags: ['custom', 'v1'],
};

describe('what a runner written by hand sends is accepted as it is', () => {
  it('a registration', () => {
    expect(RunnerRegistrationRequest.parse(registration)).toMatchObject({
      name: 'my-runner',
      capabilities: [{ id: 'my-capability', effects: 'idempotent', resourceRequirements: { gpu: false } }],
    });
  });

  it('a job whose id is no UUID and that has no metadata', () => {
    const job = JobSubmission.parse({
      id: 'test-job-1',
      type: 'my.job.type',
      priority: 50,
      payload: { type: 'my-capability', version: '1.0.0', data: { foo: 'bar' } },
    });
    expect(job).toMatchObject({ metadata: { source: 'api', tags: [] }, retryPolicy: { maxRetries: 3 } });
  });

  it('a heartbeat whose runnerId is no UUID', () => {
    const beat = {
      runnerId: 'my-runner-001',
      timestamp: new Date().toISOString(),
      status: 'healthy',
      metrics: {},
    };
    expect(RunnerHeartbeat.parse(beat)).toMatchObject({ activeJobs: 0, queuedJobs: 0 });
  });

  it('health with a status alone, or with checks as a map', () => {
    expect(RunnerHealth.parse({ status: 'healthy' }).status).toBe('healthy');
    expect(RunnerHealth.parse({ status: 'degraded', checks: { redis: false } }).status).toBe('degraded');
  });

  it('a reply from a runner that does not know its id', () => {
    const reply = { jobId: 'test-job-1', success: true, data: {}, executionTimeMs: 0, runnerId: 'unknown' };
    expect(RunnerExecutionResponse.parse(reply)).toEqual(reply);
  });

  it('a failure with nothing but its error', () => {
    const error = createErrorEnvelope({
      category: 'RUNTIME_ERROR',
      severity: 'error',
      code: 'EXECUTION_FAILED',
      message: 'no',
      service: 'my-runner',
    });
    expect(RunnerExecutionResponse.parse({ success: false, error })).toMatchObject({
      error: { code: 'EXECUTION_FAILED' },
    });
  });
});

describe('execution requests', () => {
  const request = RunnerExecutionRequest.parse({
    jobId: 'j1',
    moduleId: 'm',
    capabilityId: 'c',
    payload: {},
  });

  it('take the job as the execution where the host names none', () => {
    expect(toExecutionRequest(request)).toMatchObject({ executionId: 'j1', attempt: 1, timeoutMs: 30_000 });
  });

  it('drop unknown fields instead of refusing them', () => {
    const read = RunnerExecutionRequest.parse({ ...request, futureField: 1 });
    expect(read).not.toHaveProperty('futureField');
  });

  it.each(['', 'a b', 'ä', 'x'.repeat(129), '../x', 'a/b', '.', '..'])('refuse the id "%s"', (jobId) => {
    expect(RunnerExecutionRequest.safeParse({ ...request, jobId }).success).toBe(false);
  });

  it.each([
    [{}, 'json'],
    [{ accept: 'application/json' }, 'json'],
    [{ accept: 'application/x-ndjson' }, 'ndjson'],
    [{ accept: 'application/x-ndjson', contentType: 'application/x-ndjson; charset=utf-8' }, 'batch'],
    [{ accept: 'Application/X-NDJSON' }, 'ndjson'],
    [{ contentType: 'Application/X-NDJSON' }, 'batch'],
    [{ contentType: 'application/x-ndjson-seq' }, 'json'],
  ])('with headers %j have the form %s', (headers, form) => {
    expect(executeForm(headers)).toBe(form);
  });
});

describe('servesJob', () => {
  const capability = { id: 'my-capability', supportedJobTypes: ['my.job.type'] };
  it.each([
    ['my-capability', 'anything', true],
    ['other', 'my.job.type', true],
    ['other', 'anything', false],
  ])('payload type %s, job type %s: %s', (payloadType, jobType, expected) => {
    expect(servesJob(capability, { payloadType, jobType })).toBe(expected);
  });
});
