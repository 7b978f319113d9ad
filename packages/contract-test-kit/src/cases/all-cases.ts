import type { Case } from '../case/case.js';
import { brokenLinkCases } from './broken-links.js';
import { cancellationCases } from './cancellation.js';
import { cancellingCases } from './cancelling.js';
import { concurrencyCases } from './concurrency.js';
import { credentialCases } from './credentials.js';
import { errorCases } from './errors.js';
import { executeCases } from './execute.js';
import { healthCases } from './health.js';
import { heartbeatCases } from './heartbeat.js';
import { httpCases } from './http.js';
import { inputCases } from './input.js';
import { manifestCases } from './manifest.js';
import { registrationCases } from './registration.js';
import { shutdownCases } from './shutdown.js';
import { signingCases } from './signing.js';
import { streamingCases } from './streaming.js';
import { streamCases } from './streams.js';

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
  ...httpCases,
  ...inputCases,
  ...brokenLinkCases,
  ...signingCases,
  ...credentialCases,
  ...streamCases,
  ...cancellingCases,
];

/** Every case, by the id of the requirement that it judges. */
export const CASES: ReadonlyMap<string, Case> = new Map(ALL.map((item) => [item.id, item]));
