import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

/** What the case of a requirement does, and how a runner that breaks it is mended. */
const Explanation = z.strictObject({ does: z.string().min(10), mend: z.string().min(10) });
export type Explanation = z.infer<typeof Explanation>;

/** The explanations of all requirements, by id; read when they are asked for. */
export function readExplanations(): ReadonlyMap<string, Explanation> {
  // The build copies the file next to the bundle, as it does with the requirements.
  const text = readFileSync(new URL('explanations.yaml', import.meta.url), 'utf8');
  return new Map(Object.entries(z.record(z.string(), Explanation).parse(parse(text))));
}
