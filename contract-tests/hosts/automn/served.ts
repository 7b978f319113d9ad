import { join } from 'node:path';
import { findInterpreters, script } from '@controlplane/capabilities/script';
import type { Runner, RunnerOptions } from '@controlplane/runner-sdk';
import { automn, type AutomnOptions } from '@controlplane/runner-sdk/automn';
import { onTestFinished } from 'vitest';
import { startRunner, temporaryFolder } from '../served-runner.js';
import { startScriptedAutomn, type ScriptedAutomn } from './scripted-automn.js';

/** An Automn that is gone when the test is over. */
export async function startHost(): Promise<ScriptedAutomn> {
  const host = await startScriptedAutomn();
  onTestFinished(() => host.close());
  return host;
}

export const interpreters = await findInterpreters();

/** A runner of scripts, and where it keeps its registration. */
export interface Served {
  readonly runner: Runner;
  readonly stateFile: string;
  /** Where it listens, once it does. */
  readonly url: () => Promise<string>;
}

/** Starts a runner that the control plane may or may not take. */
export async function start(
  host: ScriptedAutomn,
  more: AutomnOptions = {},
  options: Partial<RunnerOptions> = {},
): Promise<Served> {
  const folder = temporaryFolder();
  const { stateFile = join(folder, 'state', 'runner-state.json') } = more;
  let onUrl = (_url: string): void => undefined;
  const url = new Promise<string>((resolve) => {
    onUrl = resolve;
  });
  const quiet = { debug: () => undefined, warn: () => undefined, error: () => undefined };
  const info = (fields: unknown): void => {
    const port: unknown = Reflect.get(Object(fields) as object, 'port');
    if (typeof port === 'number') onUrl(`http://127.0.0.1:${port}`);
  };
  const given: AutomnOptions = {
    hostUrl: host.url,
    runnerId: 'default',
    host: '127.0.0.1',
    port: 0,
    ...more,
    stateFile,
  };
  const own = {
    interpreters,
    termGraceMs: 300,
    workDirectory: join(folder, 'work'),
    packages: false,
  } as const;
  const runner = await startRunner({
    name: 'scripts',
    labels: interpreters.labels,
    capabilities: [script({ ...own, stateDirectory: join(folder, 'ledger') })],
    logger: { ...quiet, info },
    hosts: [automn(given)],
    ...options,
  });
  return { runner, stateFile, url: () => url };
}

/** Starts a runner that the control plane knows. */
export async function serve(
  host: ScriptedAutomn,
  more: AutomnOptions = {},
  options: Partial<RunnerOptions> = {},
): Promise<Served> {
  const served = await start(host, { secret: 'default-secret', ...more }, options);
  await served.runner.ready();
  return served;
}
