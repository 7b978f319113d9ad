import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';

const DEPLOY = fileURLToPath(new URL('../../docs/deploy', import.meta.url));
const text = (...path: string[]): string => readFileSync(join(DEPLOY, ...path), 'utf8');

/** What `jobforge serve` and a runner read from their environment, as their own help and README say. */
const SOURCES = [
  'packages/jobforge/src/cli/program.ts',
  'packages/runner-sdk/README.md',
  'packages/runner-sdk/src/lifecycle/runner-options.ts',
].map((path) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8'));
const OWN = /^(JOBFORGE|RUNNER|DATABASE)_[A-Z_]+$/;
const unknown = (names: readonly string[]): string[] =>
  names.filter((name) => OWN.test(name) && !SOURCES.some((source) => source.includes(name)));

interface Compose {
  readonly services: Record<
    string,
    { readonly environment?: Record<string, string>; readonly stop_grace_period?: string }
  >;
}

interface Deployment {
  readonly kind: string;
  readonly spec: {
    readonly template?: {
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly {
          readonly env?: readonly { readonly name: string }[];
          readonly readinessProbe: { readonly httpGet: { readonly path: string } };
        }[];
      };
    };
  };
}

describe('docs/deploy', () => {
  it('names variables that JobForge and runners read, and gives both the time to drain', () => {
    const { services } = parse(text('compose.yaml')) as Compose;
    expect(Object.keys(services)).toEqual(['postgres', 'jobforge', 'runner']);
    for (const name of ['jobforge', 'runner']) {
      expect(unknown(Object.keys(services[name]?.environment ?? {}))).toEqual([]);
      expect(services[name]?.stop_grace_period).toBe('30s');
    }
  });

  it('has manifests whose pods are ready when they say so, and stop in their own time', () => {
    const files = readdirSync(join(DEPLOY, 'kubernetes'));
    const documents = files.flatMap((file) => parseAllDocuments(text('kubernetes', file)));
    expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
    const all = documents.map((document) => document.toJS() as Deployment);
    expect(all.map(({ kind }) => kind).toSorted()).toEqual([
      'Deployment',
      'Deployment',
      'PersistentVolumeClaim',
      'ScaledObject',
      'Service',
    ]);
    for (const { spec } of all.filter(({ kind }) => kind === 'Deployment')) {
      const pod = spec.template?.spec;
      expect(pod?.terminationGracePeriodSeconds).toBeGreaterThan(30);
      for (const { env = [], readinessProbe } of pod?.containers ?? []) {
        expect(readinessProbe.httpGet.path).toBe('/readyz');
        expect(unknown(env.map(({ name }) => name))).toEqual([]);
      }
    }
  });

  it('scales by a metric that JobForge exposes', () => {
    const metrics = [...text('kubernetes', 'runner-scaler.yaml').matchAll(/jobforge_\w+/g)].map(
      ([name]) => name,
    );
    const source = readFileSync(
      fileURLToPath(new URL('../../packages/jobforge/src/scheduler/queue-metrics.ts', import.meta.url)),
      'utf8',
    );
    expect(metrics).toEqual(['jobforge_queue_depth', 'jobforge_jobs']);
    expect(metrics.filter((name) => !source.includes(`'${name}'`))).toEqual([]);
  });

  const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;
  if (!hasSystemd && process.env['CI']) throw new Error('systemd-analyze is not installed: CI needs it.');
  if (!hasSystemd)
    console.warn('SKIPPED: the units of docs/deploy are not read by systemd here: it is not installed.');
  it.skipIf(!hasSystemd)('has units that systemd takes', () => {
    const units = readdirSync(join(DEPLOY, 'systemd')).map((file) => join(DEPLOY, 'systemd', file));
    expect(execFileSync('systemd-analyze', ['verify', ...units], { encoding: 'utf8' })).toBe('');
    for (const unit of units) expect(readFileSync(unit, 'utf8')).toContain('TimeoutStopSec=30');
  });
});
