import { hostname } from 'node:os';
import { createRunner, defineCapability } from '@controlplane/runner-sdk';
import { z } from 'zod';

const greet = defineCapability({
  id: 'greet',
  version: '1.0.0',
  description: 'Greets by name',
  input: z.object({ name: z.string() }),
  output: z.object({ text: z.string() }),
  execute: ({ name }) => ({ text: `Hello, ${name}` }),
});

// The name of a container, or of a pod.
await createRunner({ name: hostname(), capabilities: [greet] }).start();
