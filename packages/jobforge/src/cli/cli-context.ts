import type { DoorName } from '../doors/door.js';
import type { Log } from '../model/log.js';
import type { LocalFile } from './local-file.js';
import type { MachineFacts } from './machine-facts.js';
import type { saveFile } from './save-file.js';
import type { Terminal } from './terminal.js';

/** A control plane that serves, as the commands that serve need it. */
export interface ServingForge {
  readonly url: string;
  /** Where the admin token was made that JobForge takes; undefined where it was given, or none is asked for. */
  readonly adminTokenFile?: string | undefined;
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
  /** Where a key for secrets and an admin token are made that are not given; undefined makes none. */
  readonly folder: string | undefined;
  /** Of the files that jobs leave; undefined for the one beside the store. */
  readonly files: string | undefined;
  /** Asks everybody for a credential; the file of the admin token where one was named. Default: nobody is asked. */
  readonly auth?: { readonly adminTokenFile: string | undefined };
  /** Certificate and key in PEM. Default: HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** Whether webhooks may be told at this machine and in private networks. Default: false. */
  readonly allowPrivateWebhooks?: boolean;
  /** Other control planes whose runners are let in. */
  readonly accept: readonly DoorName[];
  readonly log: Log;
}

/** What the command takes from the process around it, so that tests can stand in its place. */
export interface CliContext {
  readonly terminal: Terminal;
  readonly env: NodeJS.ProcessEnv;
  readonly fetch: typeof globalThis.fetch;
  readonly readFile: (path: string) => Promise<string>;
  /** A file to be sent. Rejects with the file system's own error. */
  readonly openFile: (path: string) => Promise<LocalFile>;
  /** Writes a file once all of it has come; where it may not write over one, only one that is not there. */
  readonly saveFile: typeof saveFile;
  readonly readStdin: () => Promise<string>;
  readonly now: () => number;
  readonly version: string;
  /** What `doctor` asks of this machine. */
  readonly machine: MachineFacts;
  readonly startForge: (options: ForgeOptions) => Promise<ServingForge>;
  /** Calls `stop` at the first signal to end; the returned function stops listening. */
  readonly onSignal: (stop: () => void) => () => void;
}
