import { defineCapability } from '@controlplane/runner-sdk';
import { z } from 'zod';

/** Greets somebody by name. */
export const greet = defineCapability({
  id: 'hello.greet',
  version: '1.0.0',
  description: 'Greets somebody by name.',
  input: z.object({ name: z.string().min(1) }),
  output: z.object({ message: z.string() }),
  effects: 'none',
  async execute({ name }, ctx) {
    ctx.log.info('greeting', { name });
    await ctx.progress(0.5, 'found the words');
    return { message: `Hello, ${name}` };
  },
});
