import { join } from 'node:path';
import { createFileRoom, type FileRoom } from './file-room.js';

/** Everything that JobForge keeps in files, by what it is for. */
export interface FileRooms {
  /** What executions have left, by job. */
  readonly artifacts: FileRoom;
  /** What jobs bring, and payloads and results that are too large for a message, by job. */
  readonly carried: FileRoom;
  /** What was uploaded for jobs to come, by caller. */
  readonly uploads: FileRoom;
  /** Forgets everything where it was for this process alone. */
  close(): Promise<void>;
}

/**
 * Opens the rooms of a folder, each of which is made when its first file comes.
 * @param folder - undefined for one of this process alone, which goes with it
 */
export function createFileRooms(folder: string | undefined): FileRooms {
  const room = (name?: string): FileRoom =>
    createFileRoom(folder === undefined || name === undefined ? folder : join(folder, name));
  const rooms = { artifacts: room(), carried: room('carried'), uploads: room('uploads') };
  return {
    ...rooms,
    async close() {
      for (const each of Object.values(rooms)) await each.close();
    },
  };
}
