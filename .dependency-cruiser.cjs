// Every import rule of ARCHITECTURE.md. `pnpm check` runs them; scripts/import-rules.test.ts proves that each can fail.
const { existsSync, readdirSync, readFileSync } = require('node:fs');
const { join } = require('node:path');

/** The entry points of all packages by name, read from their `exports`: index, testing, … and cli. */
function entryPoints() {
  const packages = join(__dirname, 'packages');
  const manifests = readdirSync(packages)
    .map((name) => join(packages, name, 'package.json'))
    .filter((file) => existsSync(file))
    .map((file) => JSON.parse(readFileSync(file, 'utf8')));
  const built = JSON.stringify(manifests.map((manifest) => manifest.exports ?? {}));
  return [
    ...new Set(['cli', 'index', ...[...built.matchAll(/\.\/dist\/([a-z-]+)\.js/g)].map((match) => match[1])]),
  ];
}

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...require('./scripts/import-rules/packages.cjs')(entryPoints()),
    ...require('./scripts/import-rules/contracts.cjs'),
    ...require('./scripts/import-rules/runner-sdk.cjs'),
    ...require('./scripts/import-rules/jobforge.cjs'),
  ],
  options: {
    // Types are dependencies too: a type-only import across a wall is still knowledge of the other side.
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    exclude: { path: ['^examples/[^/]+/dist/', '^templates/'] },
    doNotFollow: { path: 'node_modules|/dist/' },
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.d.ts'],
    },
  },
};
