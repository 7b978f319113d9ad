import { afterEach, expect, it } from 'vitest';
import { openDialIns } from '../testing/dial-in-forge.js';
import { ECHO } from '../testing/stub-runner.js';

const test = openDialIns();
afterEach(test.close);

it('a schema that cannot be compiled is told when its runner registers, each time', async () => {
  const logged: Record<string, unknown>[] = [];
  const forge = await test.listening({
    log: (severity, message, fields) => void (severity === 'warn' && logged.push({ message, ...fields })),
  });
  const runner = await test.socket(forge.url);
  const capabilities = [ECHO, { ...ECHO, id: 'odd', inputSchema: { type: 'nothing' } }];
  const warning = {
    path: ['capabilities', '1', 'inputSchema'],
    capability: 'odd',
    message: expect.stringMatching(
      /^The input schema of odd cannot be compiled: .*type.* Its inputs are not/,
    ),
  };
  expect(await runner.register({ capabilities })).toMatchObject({ warnings: [warning] });
  expect(logged).toMatchObject([{ capability: 'odd', runner: 'dialler' }]);
  const again = await test.socket(forge.url);
  expect(await again.register({ capabilities })).toMatchObject({ warnings: [warning] });
  const mended = await test.socket(forge.url);
  expect(await mended.register()).not.toHaveProperty('warnings');
});

it('and so is one of what it returns', async () => {
  const forge = await test.listening();
  const runner = await test.socket(forge.url);
  const capabilities = [{ ...ECHO, outputSchema: { type: 'nothing' } }];
  const message = expect.stringMatching(
    /^The output schema of echo cannot be compiled: .* by the runner alone/,
  );
  expect(await runner.register({ capabilities })).toMatchObject({
    warnings: [{ path: ['capabilities', '0', 'outputSchema'], capability: 'echo', message }],
  });
});
