import type { Log } from '../model/log.js';
import type { MachineFacts } from './machine-facts.js';
import type { Terminal } from './terminal.js';

/** A control plane that serves, as `jobforge dev` needs it. */
export interface ServingForge {
  readonly url: string;
  /** Executions that have not ended. */
  running(): number;
  /** Takes nothing new, lets what runs end, and closes; tells how many had not ended by then. */
  stop(): Promise<{ readonly handedBack: number }>;
}

export interface ForgeOptions {
  readonly host: string;
  readonly port: number;
  /** Where the store is, as `createJobForge` takes it. */
  readonly store: string;
  readonly allowedHosts: readonly string[];
  /** A key for secrets is made beside the store where none is given. */
  readonly makesKey: boolean;
  /** Whether webhooks may be told at this machine and in private networks. Default: false. */
  readonly allowPrivateWebhooks?: boolean;
  readonly log: Log;
}

/** What the command takes from the process around it, so that tests can stand in its place. */
export interface CliContext {
  readonly terminal: Terminal;
  readonly env: NodeJS.ProcessEnv;
  readonly fetch: typeof globalThis.fetch;
  readonly readFile: (path: string) => Promise<string>;
  /** Writes a file that is not there yet, once all of it has come. */
  readonly saveFile: (path: string, body: AsyncIterable<Uint8Array>) => Promise<void>;
  readonly readStdin: () => Promise<string>;
  readonly now: () => number;
  readonly version: string;
  /** What `doctor` asks of this machine. */
  readonly machine: MachineFacts;
  readonly startForge: (options: ForgeOptions) => Promise<ServingForge>;
  /** Calls `stop` at the first signal to end; the returned function stops listening. */
  readonly onSignal: (stop: () => void) => () => void;
}
