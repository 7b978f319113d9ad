// packages/contracts: one concern a file, in layers. Left never imports right.

const LAYERS = [
  ['version', 'identifiers', 'limits', 'media-types'],
  ['error-codes'],
  ['error-envelope'],
  ['capability', 'execution-event', 'health', 'retry-policy', 'pagination', 'truth'],
  ['registration', 'heartbeat', 'execution', 'job', 'access', 'capability-offer'],
  [
    'frame',
    'endpoint',
    '[a-z]+-endpoints',
    'endpoints',
    'json-schema',
    'document-schemas',
    'openapi',
    'asyncapi',
  ],
];

const files = (names) => `^packages/contracts/src/(${names.join('|')})\\.ts$`;

module.exports = [
  ...LAYERS.slice(0, -1).map((layer, index) => ({
    name: `contracts-layer-${index + 1}-imports-nothing-to-its-right`,
    comment: `${layer.join(', ')} come before what they would import here.`,
    severity: 'error',
    from: { path: files(layer) },
    to: { path: files(LAYERS.slice(index + 1).flat()) },
  })),
  {
    name: 'contracts-imports-zod-only',
    comment: 'Everybody depends on the contract, so the contract depends on nobody: not even on Node.',
    severity: 'error',
    from: { path: '^packages/contracts/src/', pathNot: '\\.test(-d)?\\.ts$' },
    to: { pathNot: '^packages/contracts/src/|(^|node_modules/)zod($|/|@)' },
  },
];
