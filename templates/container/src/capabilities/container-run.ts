import { container, type ContainerCapability, type Engine } from '@controlplane/capabilities/container';

const images = (process.env['CONTAINER_IMAGES'] || 'docker.io/library/*').split(',');

/** Runs a container of one of these images, without network, and brings back what it leaves in /job/output. */
export function containerRun(engine: Engine): ContainerCapability {
  return container({ engine, images });
}
