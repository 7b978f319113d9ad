/** An import that the rules are shown: `as: 'type'` is `import type`. */
export interface Edge {
  from: string;
  to: string;
  as?: 'value' | 'type';
}

const sdk = (path: string): string => `packages/runner-sdk/src/${path}.ts`;
const forge = (path: string): string => `packages/jobforge/src/${path}.ts`;
const contract = (path: string): string => `packages/contracts/src/${path}.ts`;

const refused = (
  rule: string,
  ...[from, to, as = 'value']: [string, string, Edge['as']?]
): Edge & { rule: string } => ({
  rule,
  from,
  to,
  as,
});

const layer = (number: number): string => `contracts-layer-${number}-imports-nothing-to-its-right`;

/** One import, or more, that each rule must refuse. */
export const FORBIDDEN_EDGES: (Edge & { rule: string })[] = [
  refused('contracts-imports-only-no-other-package', contract('truth'), '@controlplane/runner-sdk'),
  refused('runner-sdk-imports-only-contracts', sdk('lifecycle/a'), '@controlplane/jobforge'),
  refused(
    'capabilities-imports-only-contracts-and-runner-sdk',
    'packages/capabilities/src/a.ts',
    '@controlplane/runner',
  ),
  refused(
    'runner-imports-only-contracts-and-runner-sdk-and-capabilities',
    'packages/runner/src/a.ts',
    '@controlplane/jobforge',
  ),
  refused('jobforge-imports-only-contracts', forge('api/a'), '@controlplane/runner-sdk'),
  refused(
    'contract-test-kit-imports-only-contracts',
    'packages/contract-test-kit/src/a.ts',
    '@controlplane/capabilities',
  ),
  refused(
    'create-runner-imports-only-no-other-package',
    'packages/create-runner/src/a.ts',
    '@controlplane/contracts',
  ),
  refused('dashboard-imports-only-no-other-package', 'packages/dashboard/src/a.ts', '@controlplane/jobforge'),
  refused('kit-is-black-box', 'packages/contract-test-kit/src/b.ts', '@controlplane/runner-sdk'),
  refused('kit-is-black-box', 'packages/contract-test-kit/src/c.test.ts', '@controlplane/jobforge'),
  refused('packages-import-no-programs', forge('api/b'), 'examples/hello/src/hello.ts'),
  refused('no-import-past-the-entry', sdk('lifecycle/b'), contract('health')),
  refused('no-cycle', forge('api/about'), forge('api/round'), 'type'),
  refused('entries-are-imported-by-nobody', sdk('lifecycle/c'), sdk('index')),
  refused('entries-are-imported-by-nobody', contract('media-types'), contract('index')),
  refused('tests-are-imported-by-nobody', sdk('util/c'), sdk('util/backoff.test')),
  refused('suites-are-imported-by-tests-only', forge('store/c'), forge('store/store.suite')),
  refused('no-undeclared-dependency', forge('api/c'), 'left-pad'),
  refused('no-unresolvable-import', forge('api/d'), 'not-installed-anywhere'),
  refused(layer(1), contract('identifiers'), contract('error-envelope')),
  refused(layer(2), contract('error-codes'), contract('error-envelope'), 'type'),
  refused(layer(3), contract('error-envelope'), contract('health')),
  refused(layer(4), contract('health'), contract('registration')),
  refused(layer(5), contract('job'), contract('endpoints')),
  refused('contracts-imports-zod-only', contract('pagination'), 'node:crypto'),
  refused('contracts-imports-zod-only', contract('retry-policy'), 'express'),
  refused('work-never-sees-the-wire', sdk('execution/a'), sdk('transport/ndjson')),
  refused('work-never-sees-the-wire', sdk('capability/a'), sdk('hosts/host'), 'type'),
  refused('work-never-sees-the-wire', sdk('execution/b'), sdk('lifecycle/options')),
  refused('work-imports-no-server', sdk('execution/c'), 'express'),
  refused('transport-moves-bytes-only', sdk('transport/a'), sdk('execution/execute'), 'type'),
  refused('transport-moves-bytes-only', sdk('transport/b'), '@controlplane/contracts'),
  refused('transport-moves-bytes-only', sdk('transport/c'), sdk('hosts/host')),
  refused('hosts-see-the-seam-as-a-type-only', sdk('hosts/swarmlet/a'), sdk('execution/execute')),
  refused(
    'hosts-see-nothing-of-the-work-but-the-seam',
    sdk('hosts/swarmlet/b'),
    sdk('execution/executor'),
    'type',
  ),
  refused(
    'hosts-see-nothing-of-the-work-but-the-seam',
    sdk('hosts/swarmlet/c'),
    sdk('capability/capability'),
    'type',
  ),
  refused('hosts-never-import-one-another', sdk('hosts/swarmlet/d'), sdk('hosts/control-plane/client')),
  refused('hosts-do-not-join', sdk('hosts/swarmlet/e'), sdk('lifecycle/runner'), 'type'),
  refused('util-and-errors-stand-alone', sdk('util/a'), sdk('execution/execute'), 'type'),
  refused('one-place-turns-schemas-into-json-schema', sdk('capability/b'), 'zod-to-json-schema'),
  refused('only-one-file-imports-opentelemetry', sdk('observability/a'), '@opentelemetry/api'),
  refused(
    'opentelemetry-is-reached-by-its-entry-alone',
    sdk('lifecycle/traced'),
    sdk('observability/open-telemetry'),
  ),
  refused('the-command-imports-node-alone', sdk('cli/a'), sdk('util/backoff')),
  refused('model-is-pure', forge('model/a'), 'node:fs'),
  refused('model-is-pure', forge('model/b'), 'express'),
  refused('model-is-pure', forge('model/c'), forge('store/store'), 'type'),
  refused('model-is-pure', forge('model/d'), forge('links/runner-link')),
  refused('store-keeps-and-does-not-act', forge('store/a'), forge('scheduler/scheduler')),
  refused('metrics-count-and-know-nothing', forge('metrics/a'), forge('scheduler/engine')),
  refused('links-know-no-queue', forge('links/a'), forge('store/store')),
  refused('webhooks-know-no-queue', forge('webhooks/a'), forge('scheduler/scheduler')),
  refused('scheduler-knows-no-client', forge('scheduler/a'), forge('api/app')),
  refused('doors-know-no-queue', forge('doors/automn/a'), forge('scheduler/scheduler')),
  refused('nothing-knows-what-is-behind-a-door', forge('api/d'), forge('doors/open-doors')),
  refused('cli-is-imported-by-its-entry-only', forge('api/e'), forge('cli/dev')),
];

const allowed = (from: string, to: string, as: NonNullable<Edge['as']> = 'value'): Edge => ({ from, to, as });

/** The other half of the cycle: depcruise reports each cycle once, at its first file. */
export const ROUND_TRIP: Edge = { from: forge('api/round'), to: forge('api/about') };

/** Imports that the design asks for: no rule may refuse them. */
export const ALLOWED_EDGES: Edge[] = [
  allowed(sdk('hosts/control-plane/push-delivery'), sdk('execution/execute'), 'type'),
  allowed(sdk('hosts/automn/host'), sdk('hosts/host')),
  allowed(sdk('hosts/automn/words'), sdk('hosts/automn/host')),
  allowed(sdk('hosts/automn/client'), sdk('transport/http-client')),
  allowed(sdk('hosts/automn/messages'), '@controlplane/contracts'),
  allowed(sdk('transport/http-client'), 'ky'),
  allowed(sdk('transport/http-listener'), 'node:http'),
  allowed(sdk('transport/poll-loop'), sdk('util/backoff')),
  allowed(sdk('execution/executor'), sdk('capability/capability')),
  allowed(sdk('capability/capability-manifest'), 'zod-to-json-schema'),
  allowed(sdk('lifecycle/join'), sdk('execution/executor')),
  allowed(sdk('lifecycle/join-hosts'), sdk('hosts/control-plane/client')),
  allowed(sdk('util/backoff.test'), sdk('util/backoff')),
  allowed(sdk('index.test'), sdk('index')),
  allowed(sdk('testing'), sdk('hosts/in-memory/host')),
  allowed(forge('model/placement'), '@controlplane/contracts'),
  allowed(forge('model/retry'), forge('model/job-state')),
  allowed(forge('store/sqlite-store.test'), forge('store/store.suite')),
  allowed(forge('cli'), forge('cli/serve')),
  allowed(contract('endpoints'), contract('heartbeat')),
  allowed(contract('version'), 'zod'),
  allowed('packages/contract-test-kit/src/run.ts', '@controlplane/contracts'),
];
