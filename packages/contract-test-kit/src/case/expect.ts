import type { Exchange } from '../harness/exchange.js';
import type { ExecutionExchange, RunnerClient } from '../harness/runner-client.js';
import { Mismatch, type Finding } from './verdict.js';
import { showReply, WIRE_RULES } from './wire-rules.js';

/** Ends the case as broken unless the condition holds. */
export function must(condition: unknown, finding: Finding): asserts condition {
  if (!condition) throw new Mismatch(finding);
}

/** Ends the case as broken unless an exchange is as expected; shows the whole reply. */
export function mustReply(condition: unknown, expected: string, exchange: Exchange): asserts condition {
  must(condition, { expected, actual: showReply(exchange), exchange });
}

/** Ends the case as broken when the exchange breaks a rule of the wire. */
export function mustKeepRule(id: keyof typeof WIRE_RULES, exchange: Exchange | ExecutionExchange): void {
  const finding = WIRE_RULES[id].check(exchange);
  if (finding) throw new Mismatch(finding);
}

/** Ends the case as broken unless the runner still answers. */
export async function mustStillAnswer(client: RunnerClient, after: string): Promise<void> {
  const health = await client.send({ method: 'GET', url: client.urls.health });
  mustReply(health.status === 200 || health.status === 503, `health answers after ${after}`, health);
}

/** `object[key]` where it is an object. */
export function memberOf(value: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null
        ? (inner as Readonly<Record<string, unknown>>)[key]
        : undefined,
    value,
  );
}
