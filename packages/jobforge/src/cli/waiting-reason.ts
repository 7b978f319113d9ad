import { servesJob, type JobResponse } from '@controlplane/contracts';
import { missingWords } from '../model/placement.js';
import type { ApiClient } from './api-client.js';
import { capabilityOffers } from '../model/capability-offers.js';

/** Why no runner can take a job at all, or nothing where one offers what it asks for. */
export async function missingOffer(
  client: ApiClient,
  wanted: { readonly payloadType: string; readonly jobType: string },
): Promise<string | undefined> {
  const runners = await client.call('listRunners');
  if (runners.some(({ capabilities }) => capabilities.some((capability) => servesJob(capability, wanted))))
    return undefined;
  const known = [...new Set(capabilityOffers(runners).map(({ id }) => id))];
  return missingWords(wanted.payloadType, known);
}

/** Why a job is not running yet: what no runner offers, else what JobForge says. */
export async function waitingReason(
  client: ApiClient,
  { request, waitingFor, status }: JobResponse,
): Promise<string | undefined> {
  if (status !== 'queued') return undefined;
  const missing = await missingOffer(client, { payloadType: request.payload.type, jobType: request.type });
  return missing === undefined ? waitingFor : `${missing}; it waits, --no-match fail refuses instead`;
}
