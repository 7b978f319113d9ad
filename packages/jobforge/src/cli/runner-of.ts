import { envelopeOf, type RunnerMetadata } from '@controlplane/contracts';
import { nearName } from '../model/near-name.js';
import type { ApiClient } from './api-client.js';
import { CliFailure, refused } from './cli-failure.js';

function notFound(message: string, remedy: string): CliFailure {
  return refused(envelopeOf('RUNNER_NOT_FOUND', { service: 'jobforge-cli', message, remedy }));
}

/**
 * A runner by its id, or by a name that it alone has.
 * @throws CliFailure RUNNER_NOT_FOUND where there is none, and where several have the name
 */
export async function runnerOf(client: ApiClient, wanted: string): Promise<RunnerMetadata> {
  try {
    return await client.call('showRunner', { params: { id: wanted } });
  } catch (error) {
    if (!(error instanceof CliFailure) || error.envelope.code !== 'RUNNER_NOT_FOUND') throw error;
  }
  const runners = await client.call('listRunners');
  const named = runners.filter(({ name }) => name === wanted);
  const [only] = named;
  if (only !== undefined && named.length === 1) return only;
  if (only !== undefined) {
    const ids = named.map(({ id }) => id).join(', ');
    throw notFound(`${named.length} runners are called ${wanted}: ${ids}.`, 'Name one of them by its id.');
  }
  const meant = nearName(
    wanted,
    runners.map(({ name }) => name),
  );
  const words = `There is no runner ${wanted}${meant === undefined ? '' : ` (did you mean ${meant}?)`}.`;
  throw notFound(words, 'List the runners with `jobforge runner list`.');
}
