// Run by the slow tests under each runtime: a runner that dials out, ended by its parent.
import { createRunner, defineCapability } from '@controlplane/runner-sdk';
import process from 'node:process';
import { z } from 'zod';

const greet = defineCapability({
  id: 'greet',
  version: '1.0.0',
  description: 'Greets.',
  input: z.object({ name: z.string() }),
  async execute({ name }, ctx) {
    ctx.log.info('greeting', { name });
    await ctx.progress(0.5);
    return { message: `Hello, ${name}` };
  },
});

const runner = createRunner({
  name: 'dial-out',
  capabilities: [greet],
  controlPlaneUrl: process.env.JOBFORGE_URL,
  delivery: process.env.DELIVERY,
  logLevel: 'warn',
});
await runner.start();
await runner.ready();
console.log('ready');
