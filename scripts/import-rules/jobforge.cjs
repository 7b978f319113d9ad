// packages/jobforge: decisions are pure (model), everything else carries them out.

const room = (...names) => `^packages/jobforge/src/(${names.join('|')})/`;
const NOT_TESTS = '\\.test(-d)?\\.ts$';

module.exports = [
  {
    name: 'model-is-pure',
    comment: 'Decisions are tables and functions over the contract: no clock, no socket, no disk.',
    severity: 'error',
    from: { path: room('model'), pathNot: NOT_TESTS },
    to: { pathNot: `${room('model')}|(^|node_modules/)@controlplane/contracts($|/)|^packages/contracts/` },
  },
  {
    name: 'metrics-count-and-know-nothing',
    comment: 'What is counted, and when, is said by the room in which it happens.',
    severity: 'error',
    from: { path: room('metrics'), pathNot: NOT_TESTS },
    to: { pathNot: room('metrics', 'model') },
  },
  {
    name: 'store-keeps-and-does-not-act',
    severity: 'error',
    from: { path: room('store'), pathNot: NOT_TESTS },
    to: { path: room('links', 'scheduler', 'replicas', 'api', 'cli') },
  },
  {
    name: 'links-know-no-queue',
    comment:
      'A link carries one execution to one runner; which one, and what becomes of it, is the scheduler’s.',
    severity: 'error',
    from: { path: room('links'), pathNot: NOT_TESTS },
    to: { path: room('store', 'scheduler', 'api', 'cli') },
  },
  {
    name: 'scheduler-knows-no-client',
    severity: 'error',
    from: { path: room('scheduler', 'replicas'), pathNot: NOT_TESTS },
    to: { path: room('api', 'cli') },
  },
  {
    name: 'webhooks-know-no-queue',
    comment: 'They tell what has ended; what runs is the scheduler’s.',
    severity: 'error',
    from: { path: room('webhooks'), pathNot: NOT_TESTS },
    to: { path: room('scheduler', 'api', 'cli') },
  },
  {
    name: 'cli-is-imported-by-its-entry-only',
    severity: 'error',
    from: { path: '^packages/([^/]+)/src/', pathNot: `^packages/[^/]+/src/(cli/|cli\\.ts$)|${NOT_TESTS}` },
    to: { path: '^packages/$1/src/cli/' },
  },
];
