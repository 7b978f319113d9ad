import type { FileRooms } from '../files/file-rooms.js';
import type { LinkRegistry } from '../links/link-registry.js';
import type { Replica } from '../replicas/replica.js';
import type { Store } from '../store/store.js';
import type { AccessWatch } from './access-watch.js';
import type { LeaseSweeper } from './lease-sweeper.js';
import type { LiveState } from './live-state.js';

/** What ends with an engine. */
interface Running {
  readonly state: LiveState;
  readonly links: LinkRegistry;
  readonly sweeper: LeaseSweeper;
  readonly watch: AccessWatch;
  readonly replica: Replica | undefined;
  readonly files: FileRooms;
  readonly store: Store;
}

/** Lets go of runners and listeners and stores what is left. */
export async function stopEngine(parts: Running): Promise<void> {
  const { state, links, sweeper, watch, replica, files, store } = parts;
  state.stopping = true;
  state.closed = true;
  sweeper.stop();
  watch.stop();
  replica?.stop();
  links.closeAll();
  state.webhooks.stop();
  state.agenda.stop();
  try {
    await state.commit.drain();
    await replica?.leave();
  } finally {
    state.commit.close();
    state.hub.close();
    await files.close();
    await store.close();
  }
}
