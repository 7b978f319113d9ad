import { z } from 'zod';
import { Identifier, Timestamp } from './identifiers.js';

/** Name of a secret, spelled as an environment variable: 1–128 of `A-Z a-z 0-9 _`, not beginning with a digit. */
export const SecretName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'expected 1–128 of A-Z a-z 0-9 _, not beginning with a digit');
export type SecretName = z.infer<typeof SecretName>;

/** Values of secrets by name, as one execution is given them. */
export const SecretValues = z.record(SecretName, z.string());
export type SecretValues = z.infer<typeof SecretValues>;

/** Sets a secret: the body of `PUT /secrets/:id`. */
export const SetSecretRequest = z.object({
  /** Up to 64 KB of text. It is stored encrypted, and never shown again. */
  value: z.string().min(1).max(65_536),
  /** Only executions of this capability are given it; it goes before the one that is for all. Default: for all. */
  capability: Identifier.optional(),
});
export type SetSecretRequest = z.infer<typeof SetSecretRequest>;

/** A secret as it is shown: everything but its value. */
export const SecretEntry = z.object({
  name: SecretName,
  /** Absent where it is for all capabilities. */
  capability: Identifier.optional(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type SecretEntry = z.infer<typeof SecretEntry>;

export const DeleteSecretQuery = z.object({ capability: Identifier.optional() });
export type DeleteSecretQuery = z.infer<typeof DeleteSecretQuery>;

export const DeleteSecretResponse = z.object({ name: SecretName, deleted: z.literal(true) });
export type DeleteSecretResponse = z.infer<typeof DeleteSecretResponse>;
