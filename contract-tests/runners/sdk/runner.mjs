/** A runner on the SDK that offers the kit's fixture capabilities. Everything else comes from the environment. */
import { createRunner } from '@controlplane/runner-sdk';
import { conformanceCapabilities } from '@controlplane/runner-sdk/conformance';

const capabilities = conformanceCapabilities();

await createRunner({ name: 'sdk-runner', version: '1.0.0', maxConcurrency: 8, capabilities }).start();
