/** What a runner says of itself that offers `bench.echo`. */
export const echoManifest = {
  id: 'bench.echo',
  name: 'bench.echo',
  version: '1.0.0',
  description: 'Echoes',
  inputSchema: { type: 'object' },
  outputSchema: { type: 'object' },
  supportedJobTypes: [],
};
