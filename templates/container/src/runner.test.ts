import { findEngine } from '@controlplane/capabilities/container';
import { runCapability } from '@controlplane/runner-sdk/testing';
import { describe, expect, it } from 'vitest';
import { containerRun } from './capabilities/container-run.js';

const IMAGE = 'docker.io/library/alpine:3.20';
// Long enough for the image to be fetched.
const PATIENCE_MS = 120_000;

const engine = await findEngine().catch((error: Error) => {
  console.warn(`SKIPPED: ${error.message}`);
  return undefined;
});

describe.skipIf(engine === undefined)('container.run', () => {
  const run = (image: string, ...command: string[]) => {
    if (!engine) throw new Error('skipped where there is none');
    return runCapability(containerRun(engine), { image, command }, { timeoutMs: PATIENCE_MS });
  };

  it('runs a command in a container and brings back what it prints', async () => {
    const { data } = await run(IMAGE, 'echo', 'Hello, Ada');
    expect(data).toMatchObject({ exitCode: 0, stdout: 'Hello, Ada\n' });
  }, PATIENCE_MS);

  it('gives a container no network', async () => {
    const { data } = await run(IMAGE, 'cat', '/proc/net/dev');
    expect(data?.stdout).not.toContain('eth0');
  }, PATIENCE_MS);

  it('runs no image that is not named', async () => {
    const { error } = await run('ghcr.io/nobody/nothing:1', 'true');
    expect(error).toMatchObject({ code: 'CONTAINER_NOT_ALLOWED' });
  }, PATIENCE_MS);
});
