import type { Case } from '../case/case.js';
import { cancellationCases } from './cancellation.js';
import { concurrencyCases } from './concurrency.js';
import { errorCases } from './errors.js';
import { executeCases } from './execute.js';
import { healthCases } from './health.js';
import { heartbeatCases } from './heartbeat.js';
import { manifestCases } from './manifest.js';
import { registrationCases } from './registration.js';
import { shutdownCases } from './shutdown.js';
import { streamingCases } from './streaming.js';

const ALL = [
  ...registrationCases,
  ...manifestCases,
  ...heartbeatCases,
  ...healthCases,
  ...executeCases,
  ...concurrencyCases,
  ...errorCases,
  ...streamingCases,
  ...cancellationCases,
  ...shutdownCases,
];

/** Every case, by the id of the requirement that it judges. */
export const CASES: ReadonlyMap<string, Case> = new Map(ALL.map((item) => [item.id, item]));
