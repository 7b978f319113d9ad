import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { UsageError } from './exit-codes.js';
import type { RunFlags } from './parse-flags.js';

/** Where `contract-test run` looks for its configuration when no --config names another. */
export const CONFIG_FILE = 'contract-test.yaml';

/** What a configuration may say: the flags of `contract-test run`, by the same names. */
const Config = z.strictObject({
  command: z.string().optional(),
  url: z.string().optional(),
  image: z.string().optional(),
  network: z.string().optional(),
  env: z.array(z.string()).optional(),
  cwd: z.string().optional(),
  controlPlanePort: z.int().optional(),
  delivery: z.string().optional(),
  run: z.array(z.string()).optional(),
  profiles: z.array(z.string()).optional(),
  inputs: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
  allowWrites: z.array(z.string()).optional(),
  leaveOut: z.array(z.string()).optional(),
  reports: z.array(z.string()).optional(),
  knownFailures: z.string().optional(),
  timeoutMs: z.int().optional(),
  startTimeoutMs: z.int().optional(),
  seed: z.int().optional(),
  strict: z.boolean().optional(),
});
type Config = z.infer<typeof Config>;

function parseConfig(path: string): Config {
  let value: unknown;
  try {
    value = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UsageError(`--config: "${path}" cannot be read (${(error as Error).message.split('\n')[0]})`);
  }
  const parsed = Config.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UsageError(
    `${path}: ${issue?.path.join('.') || '(whole)'}: ${issue?.message}. There are ${Object.keys(Config.shape).join(', ')}`,
  );
}

const text = (value: number | undefined): string | undefined =>
  value === undefined ? undefined : String(value);

function flagsOf(config: Config): { [Name in keyof RunFlags]: RunFlags[Name] | undefined } {
  const { profiles, inputs, reports, controlPlanePort, timeoutMs, startTimeoutMs, seed, ...same } = config;
  return {
    ...same,
    profile: profiles,
    input: inputs && Object.entries(inputs).map(([id, input]) => `${id}=${JSON.stringify(input)}`),
    report: reports,
    controlPlanePort: text(controlPlanePort),
    timeout: text(timeoutMs),
    startTimeout: text(startTimeoutMs),
    seed: text(seed),
  };
}

/** Flags of the command line over those of the file; a runner named by a flag is the runner. */
function merge(flags: RunFlags, fromFile: ReturnType<typeof flagsOf>): RunFlags {
  const { url, command, image, network, env, cwd, controlPlanePort, delivery, ...rest } = fromFile;
  const named = [flags.url, flags.command, flags.image, flags.controlPlane];
  const namesRunner = named.some((one) => one !== undefined);
  const target = namesRunner ? {} : { url, command, image, network, env, cwd, controlPlanePort, delivery };
  // --json takes stdout, where the file sends another report.
  const report = flags.json ? rest.report?.filter((request) => request.includes('=')) : rest.report;
  const merged = { ...rest, ...target, report, ...flags };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined)) as RunFlags;
}

/**
 * Adds what the configuration file says to the flags, which take precedence. The file is the one that --config
 * names, else `contract-test.yaml` in the current folder, if it is there; its paths are relative to that folder.
 */
export function withConfig(flags: RunFlags, cwd: string): RunFlags {
  const path = flags.config ?? (existsSync(`${cwd}/${CONFIG_FILE}`) ? `${cwd}/${CONFIG_FILE}` : undefined);
  return path === undefined ? flags : merge(flags, flagsOf(parseConfig(path)));
}
