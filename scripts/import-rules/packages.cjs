// Which package may import which, and what holds inside every package.

/** A package wherever it resolves to: its folder in this checkout, or its bare name while it is not built. */
const pkg = (...names) =>
  names.flatMap((name) => [`^packages/${name}/`, `(^|node_modules/)@controlplane/${name}($|/)`]).join('|');

const ALLOWED = {
  contracts: [],
  'runner-sdk': ['contracts'],
  capabilities: ['contracts', 'runner-sdk'],
  runner: ['contracts', 'runner-sdk', 'capabilities'],
  jobforge: ['contracts'],
  'contract-test-kit': ['contracts'],
  'create-runner': [],
  dashboard: [],
};

const direction = Object.entries(ALLOWED).map(([name, allowed]) => ({
  name: `${name}-imports-only-${allowed.join('-and-') || 'no-other-package'}`,
  comment: 'The package direction of ARCHITECTURE.md: no other edge exists.',
  severity: 'error',
  from: { path: `^packages/${name}/` },
  to: { path: pkg('[^/]+'), pathNot: pkg(name, ...allowed) },
}));

const betweenPackages = [
  ...direction,
  {
    name: 'kit-is-black-box',
    comment:
      'The kit judges runners and control planes from outside; importing ours would make it judge itself.',
    severity: 'error',
    from: { path: '^packages/contract-test-kit/' },
    to: { path: pkg('runner-sdk', 'jobforge') },
  },
  {
    name: 'packages-import-no-programs',
    comment: 'Examples, tests of the whole and benchmarks use the packages, never the other way round.',
    severity: 'error',
    from: { path: '^packages/' },
    to: {
      path: '^(examples|contract-tests|benchmarks|scripts|templates)/',
      pathNot: '^scripts/import-rules/',
    },
  },
  {
    name: 'no-import-past-the-entry',
    comment: 'Another package is imported by its name, as its users do: never by a path into its folder.',
    severity: 'error',
    from: { path: '^(packages|examples|contract-tests|benchmarks)/([^/]+)/' },
    to: { path: '^packages/[^/]+/src/', pathNot: '^$1/$2/' },
  },
];

const insidePackages = (entryPoints) => [
  {
    name: 'no-cycle',
    comment: 'Types count too: two files that need each other are one file, or lack a third.',
    severity: 'error',
    from: {},
    to: { circular: true },
  },
  {
    name: 'entries-are-imported-by-nobody',
    comment:
      'An entry point says what is public. Code inside imports the room, so that the two can change apart.',
    severity: 'error',
    from: { path: '^packages/([^/]+)/src/', pathNot: '\\.test(-d)?\\.ts$' },
    to: { path: `^packages/$1/src/(${entryPoints.join('|')})\\.ts$` },
  },
  {
    name: 'tests-are-imported-by-nobody',
    severity: 'error',
    from: {},
    to: { path: '\\.test(-d)?\\.ts$' },
  },
  {
    name: 'suites-are-imported-by-tests-only',
    comment: 'A .suite.ts is the behaviour that every implementation of an interface must show.',
    severity: 'error',
    from: { pathNot: '\\.(test|suite)\\.ts$' },
    to: { path: '\\.suite\\.ts$' },
  },
  {
    name: 'no-undeclared-dependency',
    comment:
      'What a package imports at run time must be installed with it. create-runner is bundled into one file.',
    severity: 'error',
    from: {
      path: '^packages/[^/]+/src/',
      pathNot: '\\.(test|test-d|suite|fixture)\\.ts$|^packages/create-runner/',
    },
    to: {
      dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
      // A peer stands among the development dependencies too, for the tests.
      dependencyTypesNot: ['type-only', 'npm-peer'],
    },
  },
  {
    name: 'no-unresolvable-import',
    comment: 'Workspace packages are left out: before the first build they resolve to nothing.',
    severity: 'error',
    from: {},
    to: { couldNotResolve: true, pathNot: '^@controlplane/' },
  },
];

module.exports = (entryPoints) => [...betweenPackages, ...insidePackages(entryPoints)];
