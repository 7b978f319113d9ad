import { createCounter } from '../metrics/counter.js';
import { createHistogram, SECONDS } from '../metrics/histogram.js';
import type { MetricFamily } from '../model/metric-family.js';
import type { ServedName } from './served-endpoints.js';

/** Counts requests and how long their answers took. */
export interface HttpMeters {
  count(endpoint: ServedName, status: number, tookMs: number): void;
  collect(): MetricFamily[];
}

/** Their answers take as long as there is nothing to say. */
const HELD: ReadonlySet<string> = new Set<ServedName>(['jobEvents', 'pollRunner', 'connectRunner']);

export function createHttpMeters(): HttpMeters {
  const requests = createCounter({
    name: 'jobforge_http_requests_total',
    help: 'HTTP requests that were answered, by endpoint of the contract and status.',
    labels: ['endpoint', 'status'],
  });
  const seconds = createHistogram({
    name: 'jobforge_http_request_seconds',
    help: 'How long an answer took, by endpoint; those that are held open until there is news are left out.',
    buckets: SECONDS,
    labels: ['endpoint'],
  });
  return {
    count(endpoint, status, tookMs) {
      requests.add(1, endpoint, String(status));
      if (!HELD.has(endpoint)) seconds.observe(tookMs / 1000, endpoint);
    },
    collect: () => [requests.collect(), seconds.collect()],
  };
}
