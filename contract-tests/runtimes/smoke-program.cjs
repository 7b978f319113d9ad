const BLOCK_MS = 1_500;

/** Prints what came of it as one line of JSON. */
exports.smoke = async ({ createRunner, defineCapability }, z) => {
  const greet = defineCapability({
    id: 'greet',
    version: '1.0.0',
    description: 'Greets.',
    input: z.object({ name: z.string() }),
    execute: ({ name }) => ({ message: `Hello, ${name}` }),
  });
  const runner = createRunner({
    name: 'smoke',
    capabilities: [greet],
    controlPlaneUrl: process.env.JOBFORGE_URL,
    port: 0,
    logger: false,
    handleSignals: false,
  });
  const request = {
    jobId: 'j',
    executionId: 'e',
    attempt: 1,
    moduleId: 'm',
    capabilityId: 'greet',
    metadata: {},
  };
  const events = [];
  for await (const event of runner.execute({ ...request, payload: { name: 'Ada' } })) events.push(event.type);
  await runner.start();
  await runner.ready();
  // The thread starts with the registration; a handler seldom blocks in the first moment.
  await new Promise((resolve) => setTimeout(resolve, 500));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BLOCK_MS);
  await runner.stop({ drainMs: 1 });
  console.log(JSON.stringify({ events }));
};
