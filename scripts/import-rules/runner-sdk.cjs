// packages/runner-sdk: what a job means (capability, execution) and where jobs come from (transport, hosts) are two
// columns that never see each other; lifecycle joins them.

const room = (...names) => `^packages/runner-sdk/src/(${names.join('|')})/`;
const npm = (...names) => `(^|node_modules/)(${names.join('|')})($|/|@)`;
const NOT_TESTS = '\\.test(-d)?\\.ts$';

module.exports = [
  {
    name: 'work-never-sees-the-wire',
    comment: 'A capability runs the same under every host, because nothing on this side knows one.',
    severity: 'error',
    from: { path: room('capability', 'execution'), pathNot: NOT_TESTS },
    to: { path: room('transport', 'hosts', 'lifecycle') },
  },
  {
    name: 'work-imports-no-server',
    severity: 'error',
    from: { path: room('capability', 'execution'), pathNot: NOT_TESTS },
    to: { path: npm('express', 'ky', 'ws') },
  },
  {
    name: 'transport-moves-bytes-only',
    comment: 'transport imports util, Node, ky, express and ws: words belong to hosts.',
    severity: 'error',
    from: { path: room('transport'), pathNot: NOT_TESTS },
    to: {
      pathNot: [room('transport', 'util'), npm('ky', 'express', 'ws', '@types/express')].join('|'),
      dependencyTypesNot: ['core'],
    },
  },
  {
    name: 'hosts-see-the-seam-as-a-type-only',
    comment:
      'A host is given an Execute. A value import would let it reach around validation, timeouts and caps.',
    severity: 'error',
    from: { path: room('hosts'), pathNot: NOT_TESTS },
    to: { path: room('capability', 'execution'), dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'hosts-see-nothing-of-the-work-but-the-seam',
    severity: 'error',
    from: { path: room('hosts'), pathNot: NOT_TESTS },
    to: {
      path: room('capability', 'execution'),
      pathNot: '^packages/runner-sdk/src/execution/execute\\.ts$',
    },
  },
  {
    name: 'hosts-never-import-one-another',
    comment: 'Whoever uses one foreign control plane must not load another; shared words go to hosts/*.ts.',
    severity: 'error',
    from: { path: '^packages/runner-sdk/src/hosts/([^/]+)/' },
    to: { path: '^packages/runner-sdk/src/hosts/[^/]+/', pathNot: '^packages/runner-sdk/src/hosts/$1/' },
  },
  {
    name: 'hosts-do-not-join',
    comment: 'Only lifecycle knows both columns.',
    severity: 'error',
    from: { path: room('hosts'), pathNot: NOT_TESTS },
    to: { path: room('lifecycle') },
  },
  {
    name: 'util-and-errors-stand-alone',
    comment: 'They are below everything: util knows no domain word, errors knows the contract.',
    severity: 'error',
    from: { path: room('util', 'errors'), pathNot: NOT_TESTS },
    to: { path: room('capability', 'execution', 'transport', 'hosts', 'lifecycle') },
  },
  {
    name: 'one-place-turns-schemas-into-json-schema',
    comment:
      'zod-to-json-schema yields an empty schema for Zod 4 without a word: one file knows how to avoid it.',
    severity: 'error',
    from: { pathNot: '^packages/runner-sdk/src/capability/capability-manifest\\.ts$' },
    to: { path: npm('zod-to-json-schema') },
  },
  {
    name: 'only-one-file-imports-opentelemetry',
    comment:
      'It is an optional peer: a bundler that meets it anywhere else breaks for whoever has not installed it.',
    severity: 'error',
    from: {
      path: '^packages/runner-sdk/src/',
      pathNot: `^packages/runner-sdk/src/observability/open-telemetry\\.ts$|${NOT_TESTS}`,
    },
    to: { path: npm('@opentelemetry/api') },
  },
  {
    name: 'opentelemetry-is-reached-by-its-entry-alone',
    severity: 'error',
    from: {
      path: '^packages/runner-sdk/src/',
      pathNot: `^packages/runner-sdk/src/opentelemetry\\.ts$|${NOT_TESTS}`,
    },
    to: { path: '^packages/runner-sdk/src/observability/open-telemetry\\.ts$' },
  },
  {
    name: 'the-command-imports-node-alone',
    comment: 'A probe that containers start every few seconds must not load the SDK.',
    severity: 'error',
    from: { path: `${room('cli')}|^packages/runner-sdk/src/cli\\.ts$`, pathNot: NOT_TESTS },
    to: { pathNot: room('cli'), dependencyTypesNot: ['core'] },
  },
];
