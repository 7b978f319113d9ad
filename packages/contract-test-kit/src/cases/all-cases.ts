import type { Case } from '../case/case.js';
import { beatCases } from './beats.js';
import { brokenLinkCases } from './broken-links.js';
import { cancellationCases } from './cancellation.js';
import { cancellingCases } from './cancelling.js';
import { concurrencyCases } from './concurrency.js';
import { credentialCases } from './credentials.js';
import { handoverCases } from './dial-in-handover.js';
import { linkCases } from './dial-in-links.js';
import { messageCases } from './dial-in-messages.js';
import { discoveryCases } from './discovery.js';
import { errorCases } from './errors.js';
import { executeCases } from './execute.js';
import { healthCases } from './health.js';
import { heartbeatCases } from './heartbeat.js';
import { httpCases } from './http.js';
import { identityCases } from './identity.js';
import { inputCases } from './input.js';
import { longPollCases } from './long-poll.js';
import { lifeCases } from './lives.js';
import { longLogCases } from './long-logs.js';
import { manifestCases } from './manifest.js';
import { performanceCases } from './performance.js';
import { readinessCases } from './readiness.js';
import { registrationCases } from './registration.js';
import { shutdownCases } from './shutdown.js';
import { signingCases } from './signing.js';
import { slotCases } from './slots.js';
import { streamingCases } from './streaming.js';
import { streamCases } from './streams.js';
import { stuckWorkCases } from './stuck-work.js';
import { websocketCases } from './websocket.js';

const ALL = [
  ...registrationCases,
  ...manifestCases,
  ...heartbeatCases,
  ...healthCases,
  ...executeCases,
  ...discoveryCases,
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
  ...longLogCases,
  ...cancellingCases,
  // dial-in
  ...handoverCases('websocket'),
  ...linkCases('websocket'),
  ...messageCases('websocket'),
  ...websocketCases,
  ...handoverCases('long-poll'),
  ...linkCases('long-poll'),
  ...messageCases('long-poll'),
  ...longPollCases,
  ...identityCases,
  ...beatCases,
  ...readinessCases,
  ...slotCases,
  ...lifeCases,
  ...stuckWorkCases,
  ...performanceCases,
];

/** Every case, by the id of the requirement that it judges. */
export const CASES: ReadonlyMap<string, Case> = new Map(ALL.map((item) => [item.id, item]));
