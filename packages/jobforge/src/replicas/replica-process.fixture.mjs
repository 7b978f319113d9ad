// One JobForge among those over a database, as it is built, in a process that a test can kill. It ends with its stdin.
import { createJobForge } from '@controlplane/jobforge';

const [store, files] = process.argv.slice(2);
const forge = await createJobForge({ store, files, listen: { port: 0 } }).start();
process.stdin.resume().once('end', () => void forge.stop({ drainMs: 0 }));
process.stdout.write(`${forge.url}\n`);
