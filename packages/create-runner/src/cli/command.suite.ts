import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { packTemplates } from '../packaging/pack-templates.js';
import { main } from './main.js';
import type { Surroundings } from './surroundings.js';

/** A file of this package. */
export const packageFile = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The command over the templates as they are packed, in an empty folder for each test. */
export interface Bench {
  /** The folder that the command runs in, and what it has said since the test began. */
  readonly cwd: string;
  out: string;
  err: string;
  /** The folder of the packed templates. */
  readonly templates: string;
  run(argv: readonly string[], more?: Partial<Surroundings>): Promise<number>;
  read(file: string): string;
  write(file: string, text: string): void;
  has(file: string): boolean;
}

export function useBench(): Bench {
  let cwd = '';
  let templates = '';
  const bench: Bench = {
    get cwd() {
      return cwd;
    },
    get templates() {
      return templates;
    },
    out: '',
    err: '',
    run: (argv, more = {}) =>
      main({
        argv,
        env: { PATH: process.env['PATH'] },
        cwd,
        terminal: false,
        stdout: (text) => (bench.out += text),
        stderr: (text) => (bench.err += text),
        elapsedMs: () => 0,
        version: '9.8.7',
        templates,
        ...more,
      }),
    read: (file) => readFileSync(join(cwd, file), 'utf8'),
    write: (file, text) => writeFileSync(join(cwd, file), text),
    has: (file) => existsSync(join(cwd, file)),
  };
  beforeAll(() => {
    templates = mkdtempSync(join(tmpdir(), 'templates-'));
    packTemplates({
      templates: packageFile('../../templates'),
      workspace: packageFile('../../pnpm-workspace.yaml'),
      manifest: packageFile('package.json'),
      packages: packageFile('..'),
      into: templates,
    });
  });
  afterAll(() => rmSync(templates, { recursive: true, force: true }));
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'cwd-'));
    bench.out = '';
    bench.err = '';
  });
  afterEach(() => rmSync(cwd, { recursive: true, force: true }));
  return bench;
}
