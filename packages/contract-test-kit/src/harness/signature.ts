import { createHmac, randomUUID } from 'node:crypto';

/** A key as a registration tells it: `whsec_` and base64. */
export function signingKey(seed: string): string {
  return `whsec_${createHmac('sha256', 'contract-test-kit').update(seed).digest('base64')}`;
}

export interface SignOptions {
  /** Default: a new one. */
  readonly id?: string;
  /** Seconds that the time of the message is from now; below 0 it is past. Default: 0. */
  readonly offsetSeconds?: number;
}

function signatureOf(key: string, content: string): string {
  const bytes = Buffer.from(key.replace(/^whsec_/, ''), 'base64');
  return `v1,${createHmac('sha256', bytes).update(content).digest('base64')}`;
}

/** The headers that a control plane signs a body with, by the Standard Webhooks scheme; one signature for each key. */
export function signatureHeaders(
  body: string,
  keys: readonly string[],
  { id = `msg_${randomUUID()}`, offsetSeconds = 0 }: SignOptions = {},
): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1000) + offsetSeconds);
  const content = `${id}.${timestamp}.${body}`;
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': keys.map((key) => signatureOf(key, content)).join(' '),
  };
}
