// What an entry of the SDK or of the capabilities adds to a program: its own code, brotli, without its dependencies. The limits are a little
// above what is needed, so that a dependency or another entry that slips in is noticed.
const node = (config) => ({ ...config, platform: 'node', format: 'esm' });
const external = ['@controlplane/contracts', '@opentelemetry/api', 'ky', 'ws', 'zod', 'zod-to-json-schema'];

const entry = (name, limit) => ({
  name: `@controlplane/runner-sdk${name === 'index' ? '' : `/${name}`}`,
  path: `packages/runner-sdk/dist/${name}.js`,
  limit,
  ignore: external,
  modifyEsbuildConfig: node,
});

const capability = (name, limit) => ({
  ...entry(name, limit),
  name: `@controlplane/capabilities/${name}`,
  path: `packages/capabilities/dist/${name}.js`,
  ignore: [...external, '@controlplane/runner-sdk'],
});

export default [
  entry('index', '48 kB'),
  entry('host', '20 kB'),
  entry('testing', '25 kB'),
  entry('conformance', '8 kB'),
  entry('opentelemetry', '1 kB'),
  entry('automn', '16 kB'),
  entry('quarterback', '12 kB'),
  entry('swamp', '13 kB'),
  entry('swarmlet', '12 kB'),
  capability('shell', '10 kB'),
  capability('script', '12 kB'),
  capability('container', '12 kB'),
  { ...entry('cli', '3 kB'), name: 'runner-sdk (command)' },
];
