/**
 * @module
 * A runner written by hand against @controlplane/contracts alone: no SDK, no authentication. It registers once, beats
 * under an id of its own choosing, answers /health with the least there is and /execute with JSON. Everything that
 * examples/hello-runner gets from the SDK is spelled out here.
 */
import express from 'express';
import {
  createErrorEnvelope,
  RunnerExecutionRequest,
  type RunnerExecutionResponse,
  type RunnerHeartbeat,
} from '@controlplane/contracts';

const JOBFORGE_URL = process.env['JOBFORGE_URL'] ?? 'http://localhost:3002';
const PORT = Number(process.env['PORT'] ?? 3000);
const RUNNER_NAME = process.env['RUNNER_NAME'] ?? 'my-runner';
const RUNNER_ID = process.env['RUNNER_ID'] ?? 'unknown';
const RUNNER_VERSION = '1.0.0';
const HEARTBEAT_MS = 30_000;

const app = express();
app.use(express.json());

app.get('/health', (_request, response) => {
  response.json({
    status: 'healthy',
    service: RUNNER_NAME,
    version: RUNNER_VERSION,
    timestamp: new Date().toISOString(),
  });
});

app.post('/execute', (request, response) => {
  try {
    const execution = RunnerExecutionRequest.parse(request.body);
    const startedAt = Date.now();
    const data = executeCapability(execution);
    const reply: RunnerExecutionResponse = {
      jobId: execution.jobId,
      success: true,
      data,
      executionTimeMs: Date.now() - startedAt,
      runnerId: RUNNER_ID,
    };
    response.json(reply);
  } catch (error) {
    const envelope = createErrorEnvelope({
      category: 'RUNTIME_ERROR',
      severity: 'error',
      code: 'EXECUTION_FAILED',
      message: error instanceof Error ? error.message : 'Unknown error',
      service: RUNNER_NAME,
      retryable: true,
    });
    response.status(500).json({ success: false, error: envelope });
  }
});

function executeCapability(execution: RunnerExecutionRequest): unknown {
  switch (execution.capabilityId) {
    case 'my-capability':
      return { processed: true, input: execution.payload };
    default:
      throw new Error(`Unknown capability: ${execution.capabilityId}`);
  }
}

async function post(path: string, body: unknown): Promise<void> {
  const response = await fetch(`${JOBFORGE_URL}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
}

async function register(port: number): Promise<void> {
  await post('/runners/register', {
    name: RUNNER_NAME,
    version: RUNNER_VERSION,
    contractVersion: { major: 1, minor: 0, patch: 0 },
    capabilities: [
      {
        id: 'my-capability',
        name: 'My Capability',
        version: '1.0.0',
        description: 'Echoes its input',
        inputSchema: { type: 'object' },
        outputSchema: { type: 'object' },
        supportedJobTypes: ['my.job.type'],
        maxConcurrency: 5,
        timeoutMs: 30_000,
        resourceRequirements: {},
      },
    ],
    healthCheckEndpoint: `http://localhost:${port}/health`,
    tags: ['custom', 'v1'],
  });
}

async function sendHeartbeat(): Promise<void> {
  const heartbeat: RunnerHeartbeat = {
    runnerId: RUNNER_ID,
    timestamp: new Date().toISOString(),
    status: 'healthy',
    activeJobs: 0,
    queuedJobs: 0,
    metrics: {},
  };
  await post('/runners/heartbeat', heartbeat);
}

const report = (what: string) => (error: unknown) => console.error(`${what} failed:`, error);

const server = app.listen(PORT, (error?: Error) => {
  if (error) throw error;
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : PORT;
  register(port).then(() => {
    console.log(`${RUNNER_NAME} v${RUNNER_VERSION} registered, listening on port ${port}`);
    setInterval(() => void sendHeartbeat().catch(report('Heartbeat')), HEARTBEAT_MS);
  }, report('Registration'));
});
