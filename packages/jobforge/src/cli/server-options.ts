import { DEFAULTS } from '@controlplane/contracts';
import type { Command } from 'commander';
import { DOOR_NAMES, type DoorName } from '../doors/door.js';
import { choices, integer } from './option-values.js';
import type { StoreOptions } from './store-option.js';

/** What both commands that serve take. */
export interface ServerOptions extends StoreOptions {
  readonly host: string;
  readonly port: number;
  readonly allowHost?: readonly string[];
  readonly accept?: readonly DoorName[];
  readonly json?: boolean;
}

/** Gives a command the options with which a control plane is started. */
export function asServer(command: Command, hostWords: string): Command {
  return command
    .option('--host <address>', hostWords, '127.0.0.1')
    .option(
      '--port <port>',
      'port to listen on; 0 takes a free one',
      integer({ min: 0, max: 65_535 }),
      DEFAULTS.jobForgePort,
    )
    .option('--data <dir>', 'folder of the store', './data')
    .option('--memory', 'keep nothing: everything is gone when it stops')
    .option('--store <url>', 'a database instead of the folder: postgres://user:password@host/database')
    .option(
      '--allow-host <names...>',
      'accept requests under these host names too, where it listens on loopback',
    )
    .option(
      '--accept <systems>',
      `let runners of other systems in, with credentials of JobForge: ${DOOR_NAMES.join(', ')}`,
      choices(DOOR_NAMES),
    )
    .option('--json', 'print JSON for programs')
    .addHelpText(
      'after',
      `
The first SIGINT or SIGTERM lets running jobs end, the second stops at once.
With --json, a line each: {"event":"ready","url":…,"data":…,"version":…} first, then
{"event":"log",…}, {"event":"stopping","running":…} and {"event":"stopped","handedBack":…}.`,
    );
}
