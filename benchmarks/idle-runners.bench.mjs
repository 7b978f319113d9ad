// What 10,000 runners cost that dialled in, beat every ten seconds and have nothing to do.
import { startProcess } from './harness/child.mjs';
import { report, round } from './harness/report.mjs';

const RUNNERS = Number(process.env.RUNNERS ?? 10_000);
const MEASURED_MS = 30_000;

const forge = await startProcess('job-forge.mjs', { STORE: 'memory' }, ['--expose-gc']);
const dialers = await startProcess('idle-dialers.mjs', { JOBFORGE_URL: forge.ready.url });
try {
  const before = await forge.ask('settled');
  const started = performance.now();
  const { connected } = await dialers.ask({ kind: 'connect', count: RUNNERS });
  const connectSeconds = (performance.now() - started) / 1000;
  // The first beats of all, so that what is made once for each runner is there.
  await new Promise((resolve) => setTimeout(resolve, 12_000));
  const after = await forge.ask('settled');
  const cpuBefore = await forge.ask('cpu');
  await new Promise((resolve) => setTimeout(resolve, MEASURED_MS));
  const cpu = await forge.ask('cpu');
  const cpuMs = (cpu.user + cpu.system - cpuBefore.user - cpuBefore.system) / 1000;
  report('idle runners (websocket, a beat every 10 s)', {
    runners: connected,
    'connected a second': Math.round(connected / connectSeconds),
    'memory a runner, KB (aim ≤ 20)': round((after.rss - before.rss) / connected / 1024, 1),
    'heap and buffers a runner, KB': round(
      (after.heapUsed + after.external - before.heapUsed - before.external) / connected / 1024,
      1,
    ),
    'CPU, % of a core (aim ≤ 10)': round((cpuMs / MEASURED_MS) * 100, 1),
  });
} finally {
  await dialers.stop();
  await forge.stop();
}
