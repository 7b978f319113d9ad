import type { ArrivedFile, FileRoom } from '../files/file-room.js';
import type { FileRooms } from '../files/file-rooms.js';
import { JobForgeError } from '../model/job-forge-error.js';

/** What a file system says that has no room, may not be written to or fails: about itself, not about a file. */
const OF_DISK: ReadonlySet<unknown> = new Set([
  ...['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EACCES', 'EPERM', 'ENOTDIR', 'EMFILE', 'ENFILE'],
]);

/** Has what the disk refuses refused as STORE_UNAVAILABLE. */
async function using<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (!OF_DISK.has(code)) throw error;
    // Its message names a path of this machine.
    throw new JobForgeError('STORE_UNAVAILABLE', {
      message: `The folder of files cannot be used: ${String(code)}.`,
      causes: [{ name: 'Error', message: String(code) }],
    });
  }
}

function toldRoom(room: FileRoom): FileRoom {
  return {
    ...room,
    async receive(...asked): Promise<ArrivedFile> {
      const arrived = await using(room.receive(...asked));
      return { ...arrived, keep: () => using(arrived.keep()) };
    },
    adopt: (...asked) => using(room.adopt(...asked)),
    find: (...asked) => using(room.find(...asked)),
    list: (...asked) => using(room.list(...asked)),
  };
}

/** The same rooms, which say in the words of the API that a disk cannot be written. */
export function toldRooms(rooms: FileRooms): FileRooms {
  const { artifacts, carried, uploads, close } = rooms;
  return { artifacts: toldRoom(artifacts), carried: toldRoom(carried), uploads: toldRoom(uploads), close };
}
