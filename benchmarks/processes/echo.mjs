// What both servers of the execute benchmark validate and do.
import { z } from 'zod';

export const input = z.object({ text: z.string().max(1000), times: z.number().int().min(1).max(10) });
export const output = z.object({ text: z.string(), length: z.number().int() });

/** @param {z.infer<typeof input>} value */
export const echo = ({ text, times }) => ({ text, length: text.length * times });

const text = 'x'.repeat(120);

/** @param {string} id */
export const body = (id) =>
  `{"jobId":"${id}","moduleId":"bench","capabilityId":"bench.echo","payload":{"text":"${text}","times":2},"timeoutMs":30000,"metadata":{}}`;
