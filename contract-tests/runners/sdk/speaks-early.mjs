/** A runner on the SDK whose work says something and ends only later, so that its end comes in a message of its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createRunner, defineCapability } from '@controlplane/runner-sdk';
import { z } from 'zod';

/** Far longer than a message takes to leave. */
const WORK_MS = 500;

const greet = defineCapability({
  id: 'greet.slowly',
  version: '1.0.0',
  description: 'Greets, and takes its time.',
  input: z.object({ name: z.string().max(40) }),
  output: z.object({ greeting: z.string() }),
  effects: 'none',
  async execute({ name }, ctx) {
    ctx.log.info('it begins');
    await sleep(WORK_MS, undefined, { signal: ctx.signal });
    return { greeting: `Hello, ${name}` };
  },
});

await createRunner({
  name: 'speaks-early',
  version: '1.0.0',
  maxConcurrency: 8,
  capabilities: [greet],
}).start();
