/** A runner on the SDK that offers capabilities of its own and no fixtures: the kit finds out how to call them. */
import { createRunner, defineCapability } from '@controlplane/runner-sdk';
import { z } from 'zod';

const total = defineCapability({
  id: 'orders.total',
  version: '2.1.0',
  description: 'Adds up the lines of an order.',
  input: z.object({
    currency: z.enum(['EUR', 'USD']),
    lines: z.array(z.object({ quantity: z.int().positive().max(99), price: z.number().min(0.01) })).min(2),
    note: z.string().max(40).optional(),
  }),
  output: z.object({ total: z.number(), currency: z.string() }),
  effects: 'none',
  maxConcurrency: 2,
  async execute({ currency, lines }, ctx) {
    ctx.log.info('adding up', { lines: lines.length });
    return { currency, total: lines.reduce((sum, { quantity, price }) => sum + quantity * price, 0) };
  },
});

const erase = defineCapability({
  id: 'disk.erase',
  version: '1.0.0',
  description: 'Must never be called by a kit that was not told to.',
  input: z.object({ path: z.string() }),
  output: z.object({}),
  effects: 'writes',
  async execute() {
    console.error('disk.erase was called');
    process.exit(9);
  },
});

await createRunner({ name: 'own-capabilities', version: '1.0.0', capabilities: [erase, total] }).start();
