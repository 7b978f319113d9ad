import { defineCapability } from '@controlplane/runner-sdk';
import { z } from 'zod';

export const helloGreet = defineCapability({
  id: 'hello.greet',
  version: '1.0.0',
  description: 'Greets somebody by name.',
  input: z.object({ name: z.string().min(1).max(200) }),
  output: z.object({ message: z.string() }),
  effects: 'none',
  timeoutMs: 5_000,
  async execute({ name }, ctx) {
    ctx.log.info('greeting', { name });
    return { message: `Hello, ${name}` };
  },
});
