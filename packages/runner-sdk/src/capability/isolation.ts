import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Where a handler runs: with the runner, in a thread of its own, or in a process of its own. */
export type IsolationKind = 'none' | 'thread' | 'process';

/** How a capability is isolated. */
export interface Isolation {
  readonly kind: Exclude<IsolationKind, 'none'>;
  /** URL of the file that defines the capability when it is loaded. */
  readonly module: string;
  /** Variables that a process is given beside the harmless ones. */
  readonly environment: readonly string[];
}

/** What a definition says of isolation. */
export interface IsolationChoice {
  readonly isolation?: IsolationKind | undefined;
  readonly module?: string | URL | undefined;
  readonly environment?: readonly string[] | undefined;
}

/** Variables that hold the runner's own credentials: no handler in a process of its own sees them. */
const OWN_CREDENTIAL = /^(RUNNER|JOBFORGE|SWARMLET|LONGHOUSE|SWAMP|AUTOMN)_.*(TOKEN|SECRET|CREDENTIAL|KEY)/i;

/** Whether a variable is one of the runner's own credentials. */
export const isOwnCredential = (name: string): boolean => OWN_CREDENTIAL.test(name);

function toFile(module: string | URL | undefined): URL | undefined {
  try {
    if (module === undefined) return undefined;
    if (typeof module === 'string' && isAbsolute(module)) return pathToFileURL(module);
    const url = new URL(module);
    return url.protocol === 'file:' ? url : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads what a definition says of isolation.
 * @returns undefined for none; a text where the choice cannot be used
 */
export function isolationOf(choice: IsolationChoice): Isolation | string | undefined {
  const { isolation: kind = 'none', module, environment = [] } = choice;
  if (kind === 'none') return undefined;
  if (kind !== 'thread' && kind !== 'process') {
    return `isolation is ${JSON.stringify(kind)}; expected none, thread or process`;
  }
  const file = toFile(module);
  if (!file || !existsSync(fileURLToPath(file))) {
    const shown = module === undefined ? 'missing' : JSON.stringify(String(module));
    return `isolation "${kind}" loads the capability's own file once more, and module is ${shown}; set module: import.meta.url (in CommonJS __filename)`;
  }
  const credential = environment.find((name) => isOwnCredential(name));
  if (credential !== undefined) {
    return `environment names ${credential}, which holds the runner's own credential; a handler in a process of its own never gets it`;
  }
  return { kind, module: file.href, environment: [...environment] };
}
