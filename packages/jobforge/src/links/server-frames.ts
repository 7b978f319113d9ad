import type {
  Directive,
  ErrorEnvelope,
  RunnerHeartbeatResponse,
  RunnerRegistrationResponse,
} from '@controlplane/contracts';
import type { LinkRequest } from './runner-link.js';
import type { Outgoing } from './waiting-frames.js';

/** The frames that JobForge sends, as JSON. */
export const serverFrame = {
  ready: (registration: RunnerRegistrationResponse): string =>
    JSON.stringify({ type: 'ready', registration }),
  refused: (error: ErrorEnvelope): string => JSON.stringify({ type: 'refused', error }),
  heartbeat: (reply: RunnerHeartbeatResponse): string => JSON.stringify({ type: 'heartbeat', reply }),
  /** Offers are JSON already. */
  offers: (offers: readonly LinkRequest[]): string =>
    `{"type":"offers","executions":[${offers.map(({ body }) => body).join(',')}]}`,
  directives: (directives: readonly Directive[]): string =>
    JSON.stringify({ type: 'directives', directives }),
};

/** What goes out with one flush: a frame a kind, answers before offers. */
export function framesOf({ offers, confirmed, acknowledged, directives }: Outgoing): string[] {
  const frames: string[] = [];
  if (confirmed.length > 0) frames.push(JSON.stringify({ type: 'confirmed', executions: confirmed }));
  if (acknowledged.length > 0)
    frames.push(JSON.stringify({ type: 'acknowledged', executions: acknowledged }));
  if (directives.length > 0) frames.push(serverFrame.directives(directives));
  if (offers.length > 0) frames.push(serverFrame.offers(offers));
  return frames;
}
