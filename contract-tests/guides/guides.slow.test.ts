import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { importBusyboxImage } from '../deploy/busybox-image.js';
import { missingEngine, openPodman, type Podman } from '../deploy/podman.js';
import { followGuide } from './guide.js';

/** Needs an engine and the image that it names. */
const WITH_CONTAINERS = 'containers-for-a-fleet.md';
const guides = readdirSync(fileURLToPath(new URL('../../docs/guides', import.meta.url)));

describe.each(guides.filter((name) => name !== WITH_CONTAINERS))('docs/guides/%s', (name) => {
  it('does what it says', () => followGuide(name));
});

const noEngine = await missingEngine();
if (noEngine !== undefined) console.warn(`SKIPPED: ${WITH_CONTAINERS} is not followed here: ${noEngine}.`);

describe.skipIf(noEngine !== undefined)(`docs/guides/${WITH_CONTAINERS}`, () => {
  let podman: Podman;
  beforeAll(async () => {
    podman = openPodman();
    await importBusyboxImage(podman, 'docker.io/library/alpine:3.20');
  });
  afterAll(() => podman.close());

  it('does what it says', () => followGuide(WITH_CONTAINERS, podman.variables));
});
