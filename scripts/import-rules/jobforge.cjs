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
    name: 'doors-know-no-queue',
    comment: 'A foreign runner comes in as one of our own would: what is behind the door is the operations.',
    severity: 'error',
    from: { path: room('doors'), pathNot: NOT_TESTS },
    to: { path: room('store', 'scheduler', 'replicas', 'webhooks', 'access', 'cli') },
  },
  {
    name: 'nothing-knows-what-is-behind-a-door',
    comment: 'The listener and the options know that there are doors; which, is known to the room alone.',
    severity: 'error',
    from: {
      path: '^packages/jobforge/src/',
      pathNot: `${room('doors')}|^packages/jobforge/src/control-plane\\.ts$|${NOT_TESTS}`,
    },
    to: { path: room('doors'), pathNot: '^packages/jobforge/src/doors/door\\.ts$' },
  },
  {
    name: 'cli-is-imported-by-its-entry-only',
    severity: 'error',
    from: { path: '^packages/([^/]+)/src/', pathNot: `^packages/[^/]+/src/(cli/|cli\\.ts$)|${NOT_TESTS}` },
    to: { path: '^packages/$1/src/cli/' },
  },
];
