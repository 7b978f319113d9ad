import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { describe, expect, test } from 'vitest';

// What each entry of this package pulls in, as a bundler sees it. `import()` is not followed: it costs nothing at start.

const src = import.meta.dirname;
const entries = readdirSync(src)
  .filter((file) => file.endsWith('.ts') && !file.includes('.test'))
  .map((file) => basename(file, '.ts'));

interface Pulled {
  /** Files of this package, such as `lifecycle/runner`. */
  readonly own: ReadonlySet<string>;
  /** Packages that are loaded with the entry. */
  readonly packages: readonly string[];
}

const nameOf = (path: string): string =>
  path
    .split('/')
    .slice(0, path.startsWith('@') ? 2 : 1)
    .join('/');

function walk(metafile: Metafile, from: string): Pulled {
  const own = new Set<string>();
  const packages = new Set<string>();
  const visit = (path: string): void => {
    if (own.has(path)) return;
    own.add(path);
    for (const edge of metafile.inputs[path]?.imports ?? []) {
      if (edge.kind !== 'import-statement') continue;
      if (!edge.external) visit(edge.path);
      else if (!edge.path.startsWith('node:')) packages.add(nameOf(edge.path));
    }
  };
  visit(from);
  return { own: new Set([...own].map((path) => path.replace(/\.ts$/, ''))), packages: [...packages].sort() };
}

async function pulledBy(entry: string): Promise<Pulled> {
  const { metafile } = await build({
    entryPoints: [`${src}/${entry}.ts`],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'silent',
    absWorkingDir: src,
  });
  return walk(metafile, `${entry}.ts`);
}

const reach = Object.fromEntries(
  await Promise.all(entries.map(async (entry) => [entry, await pulledBy(entry)] as const)),
);

describe('an entry pulls in nothing that its user did not ask for', () => {
  test.each(entries)('%s pulls in no other entry', (entry) => {
    const others = entries.filter((other) => other !== entry);
    expect(others.filter((other) => reach[entry]?.own.has(other))).toEqual([]);
  });

  test('index loads neither OpenTelemetry nor an HTTP or socket library before it is used', () => {
    expect(reach['index']?.packages).toEqual(['@controlplane/contracts', 'zod', 'zod-to-json-schema']);
  });

  test('index knows nothing of the testing tools, opentelemetry nothing of the runner', () => {
    const rooms = (entry: string): string[] => [
      ...new Set([...(reach[entry]?.own ?? [])].map((file) => file.split('/')[0] ?? '')),
    ];
    expect(rooms('index')).not.toContain('testing');
    expect([...(reach['index']?.own ?? [])].filter((file) => file.startsWith('hosts/in-memory/'))).toEqual(
      [],
    );
    expect([...(reach['opentelemetry']?.own ?? [])].sort()).toEqual([
      'observability/open-telemetry',
      'opentelemetry',
    ]);
    expect(reach['opentelemetry']?.packages).toEqual(['@opentelemetry/api']);
  });

  test('the command imports Node alone', () => {
    expect(reach['cli']?.packages).toEqual([]);
    expect([...(reach['cli']?.own ?? [])].filter((file) => !/^cli(\/|$)/.test(file))).toEqual([]);
  });
});
