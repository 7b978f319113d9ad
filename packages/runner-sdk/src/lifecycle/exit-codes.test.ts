import { once } from 'node:events';
import type { ErrorCode } from '@controlplane/contracts';
import { expect, onTestFinished, test } from 'vitest';
import { startDialInControlPlane } from './dial-in-control-plane.suite.js';
import { refusal, startRecordingControlPlane } from './recording-control-plane.js';
import { spawnRunner } from './runner-process.suite.js';

const EXIT_CODES = [
  ['VALIDATION_ERROR', 64],
  ['CONTRACT_MISMATCH', 65],
  ['CREDENTIAL_MISSING', 66],
  ['CREDENTIAL_INVALID', 67],
  ['TOKEN_EXPIRED', 68],
  ['TOKEN_REVOKED', 69],
  ['MACHINE_MISMATCH', 70],
  ['ALREADY_CONNECTED', 71],
] as const satisfies ReadonlyArray<readonly [ErrorCode, number]>;

test('a process whose runner is refused for good ends with the exit code of the refusal', async () => {
  const ended = EXIT_CODES.map(async ([code, exitCode]) => {
    const controlPlane = await startRecordingControlPlane();
    onTestFinished(controlPlane.close);
    controlPlane.answers.register = () => refusal(code);
    const child = spawnRunner(controlPlane.url);
    expect({ code, ended: await once(child, 'exit') }).toEqual({ code, ended: [exitCode, null] });
    expect(controlPlane.count(/register$/)).toBe(1);
  });
  await Promise.all(ended);
}, 15_000);

test('so does one that dials in', async () => {
  const plane = await startDialInControlPlane();
  plane.refuse = 'TOKEN_REVOKED';
  const child = spawnRunner(plane.url, { RUNNER_DELIVERY: 'websocket', PORT: '' });
  expect(await once(child, 'exit')).toEqual([69, null]);
});
