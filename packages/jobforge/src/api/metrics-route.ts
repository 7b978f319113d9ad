import { EXPOSITION_TYPE, toExposition } from '../metrics/exposition.js';
import { gauge, type MetricFamily } from '../model/metric-family.js';
import type { Operations } from '../model/operations.js';
import { readJson } from './body-reader.js';
import type { HttpMeters } from './http-meters.js';
import { SECURITY_HEADERS } from './json-reply.js';
import type { Exchange } from './served-endpoints.js';

/** What the process around the server uses, under the names that dashboards know. */
function processMetrics(): MetricFamily[] {
  const { user, system } = process.cpuUsage();
  const cpu = { labels: {}, value: (user + system) / 1_000_000 };
  return [
    gauge('process_resident_memory_bytes', 'Resident memory of the process.', process.memoryUsage.rss()),
    {
      name: 'process_cpu_seconds_total',
      help: 'Processor time that the process has used.',
      type: 'counter',
      samples: [cpu],
    },
    gauge(
      'process_start_time_seconds',
      'When the process was started, in seconds since 1970.',
      Math.round(Date.now() / 1000 - process.uptime()),
    ),
  ];
}

/** Answers `GET /metrics`. */
export async function answerMetrics(
  { request, response }: Exchange,
  { operations, meters }: { readonly operations: Operations; readonly meters: HttpMeters },
): Promise<void> {
  await readJson(request);
  const body = toExposition([...operations.metrics(), ...meters.collect(), ...processMetrics()]);
  response.writeHead(200, [
    'content-type',
    EXPOSITION_TYPE,
    'content-length',
    String(Buffer.byteLength(body)),
    ...SECURITY_HEADERS,
  ]);
  response.end(body);
}
