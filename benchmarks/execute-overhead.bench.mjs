// What the SDK costs: POST /execute on its fast listener beside a bare node:http handler with the same validation.
import { startProcess } from './harness/child.mjs';
import { httpLoad } from './harness/http-load.mjs';
import { interleaved, median, ratio } from './harness/interleaved.mjs';
import { quietControlPlane } from './harness/quiet-control-plane.mjs';
import { report, round } from './harness/report.mjs';
import { body } from './processes/echo.mjs';

const ROUNDS = 9;
const controlPlane = await quietControlPlane();
const bare = await startProcess('bare-server.mjs');
const sdk = await startProcess('sdk-server.mjs', { JOBFORGE_URL: controlPlane.url, WAIT_READY: '1' });

const measure =
  (server) =>
  async (durationMs = 1500) => {
    const before = await server.ask('cpu');
    const load = { port: server.ready.port, path: '/execute', body, connections: 16, durationMs };
    const { requests, seconds } = await httpLoad(load);
    const after = await server.ask('cpu');
    const cpuUs = after.user + after.system - before.user - before.system;
    return { perSecond: requests / seconds, cpuUs: cpuUs / requests };
  };

try {
  await measure(bare)(3000);
  await measure(sdk)(3000);
  const results = await interleaved({ bare: measure(bare), sdk: measure(sdk) }, ROUNDS);
  const cpu = (name) => results[name].map(({ cpuUs }) => cpuUs);
  const rate = (name) => results[name].map(({ perSecond }) => perSecond);
  report('execute overhead (16 connections, keep-alive)', {
    'bare node:http, CPU µs a request': round(median(cpu('bare')), 1),
    'SDK, CPU µs a request': round(median(cpu('sdk')), 1),
    'bare node:http, requests/s': Math.round(median(rate('bare'))),
    'SDK, requests/s': Math.round(median(rate('sdk'))),
    'time of SDK / bare (CPU; aim ≤ 1.3)': round(ratio(cpu('sdk'), cpu('bare'))),
    'time of SDK / bare (throughput; aim ≤ 1.3)': round(ratio(rate('bare'), rate('sdk'))),
  });
} finally {
  await sdk.stop();
  await bare.stop();
  controlPlane.close();
}
