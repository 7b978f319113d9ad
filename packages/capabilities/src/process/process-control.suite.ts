import { readdirSync, readFileSync } from 'node:fs';
import { runCapability, type RunCapabilityOptions } from '@controlplane/runner-sdk/testing';
import { expect } from 'vitest';
import type { ShellCapability } from '../shell/shell.js';
import type { ShellInput } from '../shell/shell-input.js';

/** Runs a command through the real executor. */
export const run = (capability: ShellCapability, input: ShellInput, options: RunCapabilityOptions = {}) =>
  runCapability(capability, input as never, options);

/** The pids of living processes whose arguments hold a text. */
export function alive(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return line.includes(text) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** The output among the events of a run, of one stream or of both. */
export const outputOf = (
  {
    logs,
  }: { readonly logs: ReadonlyArray<{ readonly stream?: string | undefined; readonly message: string }> },
  stream?: string,
): string =>
  logs
    .filter((log) => (stream === undefined ? log.stream !== undefined : log.stream === stream))
    .map(({ message }) => message)
    .join('');

/** A number that no other process has among its arguments: seconds to sleep for. */
export const uniqueSeconds = (): string => `${1_000 + Math.floor(Math.random() * 8_000)}.${process.pid}`;

/** What an error says of how its command ended. */
export function endOf(error: {
  readonly details: ReadonlyArray<{ readonly value?: unknown }>;
}): Record<string, unknown> {
  expect(error.details).toHaveLength(1);
  return error.details[0]?.value as Record<string, unknown>;
}
