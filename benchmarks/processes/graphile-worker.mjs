// graphile-worker as its own documentation sets it up for speed, with the work of bench.echo. Tells, when asked, once
// nothing is left to do.
import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import { answerParent } from '../harness/child.mjs';
import { echo, input, output } from './echo.mjs';

const logger = new Logger(() => () => {});
const preset = {
  worker: {
    connectionString: process.env.DATABASE,
    concurrentJobs: 24,
    maxPoolSize: 25,
    localQueue: { size: 500 },
    completeJobBatchDelay: 0,
    failJobBatchDelay: 0,
    logger,
  },
};
let done = 0;
await run({
  preset,
  noHandleSignals: true,
  taskList: {
    'bench.echo': async (payload) => {
      output.parse(echo(input.parse(payload)));
      done += 1;
    },
  },
});
const utils = await makeWorkerUtils({ preset });

async function idle() {
  for (;;) {
    const { rows } = await utils.withPgClient((client) =>
      client.query('SELECT EXISTS (SELECT FROM graphile_worker.jobs) AS left'),
    );
    if (!rows[0].left) return { done };
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

answerParent({ ready: true }, { idle });
