import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { placeProject } from './place-project.js';

const FILES = { 'package.json': 'new', 'src/index.ts': 'new', '.gitignore': 'new' };

let room: string;
let target: string;

const put = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};
const writeFiles = async (folder: string): Promise<string[]> => {
  for (const [file, text] of Object.entries(FILES)) put(join(folder, file), text);
  return Object.keys(FILES).sort();
};
const place = (force = false, write = writeFiles) => placeProject(target, { force, write });
const tree = (): string[] => readdirSync(room, { recursive: true }).map(String).sort();

beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), 'place-'));
  target = join(room, 'project');
});
afterEach(() => rmSync(room, { recursive: true, force: true }));

describe('a new folder', () => {
  it('holds the project and nothing else is left beside it', async () => {
    expect(await place()).toEqual(['.gitignore', 'package.json', 'src/index.ts']);
    expect(tree()).toEqual([
      'project',
      'project/.gitignore',
      'project/package.json',
      'project/src',
      'project/src/index.ts',
    ]);
  });

  it('is made with the folders above it', async () => {
    target = join(room, 'a/b/project');
    await place();
    expect(existsSync(join(target, 'package.json'))).toBe(true);
  });

  it('is not there when writing fails, nor are the folders above it', async () => {
    target = join(room, 'a/b/project');
    const failing = async (folder: string): Promise<never> => {
      await writeFiles(folder);
      throw new Error('disk full');
    };
    await expect(place(false, failing)).rejects.toThrow(/disk full\. Nothing was left behind/);
    expect(tree()).toEqual([]);
  });

  it('is not there when the person interrupts', async () => {
    const controller = new AbortController();
    const write = async (folder: string): Promise<string[]> => {
      controller.abort(new Error('interrupted'));
      return writeFiles(folder);
    };
    await expect(placeProject(target, { force: false, write, signal: controller.signal })).rejects.toThrow(
      /interrupted/,
    );
    expect(tree()).toEqual([]);
  });

  it('is not overwritten when somebody else made it meanwhile', async () => {
    const write = async (folder: string): Promise<string[]> => {
      put(join(target, 'theirs'), 'theirs');
      return writeFiles(folder);
    };
    await expect(place(false, write)).rejects.toThrow(/could not be created/);
    expect(tree()).toEqual(['project', 'project/theirs']);
  });
});

describe('a folder that exists', () => {
  it('is used when it is empty', async () => {
    mkdirSync(target);
    await place();
    expect(readFileSync(join(target, 'src/index.ts'), 'utf8')).toBe('new');
  });

  it('is used when it holds harmless files, which stay', async () => {
    put(join(target, '.git/HEAD'), 'ref');
    put(join(target, 'LICENSE'), 'mine');
    await place();
    expect(readFileSync(join(target, 'LICENSE'), 'utf8')).toBe('mine');
    expect(readFileSync(join(target, '.git/HEAD'), 'utf8')).toBe('ref');
  });

  it('is refused with the list of what is in it', async () => {
    put(join(target, 'src/mine.ts'), 'mine');
    put(join(target, 'notes.txt'), 'mine');
    await expect(place()).rejects.toThrow(
      expect.objectContaining({
        exitCode: 1,
        message: expect.stringMatching(/ {2}notes\.txt\n {2}src\n[^]*--force/),
      }),
    );
    expect(readdirSync(target).sort()).toEqual(['notes.txt', 'src']);
  });

  it('is refused with a short list when it holds much', async () => {
    for (let index = 10; index < 30; index += 1) put(join(target, `file-${index}`), '');
    await expect(place()).rejects.toThrow(/file-19\n {2}… and 10 more/);
  });
});

describe('--force', () => {
  it('replaces files of the same name and keeps all others', async () => {
    put(join(target, 'package.json'), 'old');
    put(join(target, 'src/mine.ts'), 'mine');
    await place(true);
    expect(readFileSync(join(target, 'package.json'), 'utf8')).toBe('new');
    expect(readFileSync(join(target, 'src/mine.ts'), 'utf8')).toBe('mine');
    expect(readdirSync(room)).toEqual(['project']);
  });

  it('puts everything back when a file cannot be moved', async () => {
    put(join(target, 'package.json'), 'old');
    const write = async (folder: string): Promise<string[]> => [
      ...(await writeFiles(folder)),
      'zz-never-written',
    ];
    await expect(place(true, write)).rejects.toThrow(/zz-never-written/);
    expect(readFileSync(join(target, 'package.json'), 'utf8')).toBe('old');
    expect(tree()).toEqual(['project', 'project/package.json']);
  });

  it('puts back the file too whose replacement cannot be moved', async () => {
    put(join(target, 'zz-never-written'), 'mine');
    const write = async (folder: string): Promise<string[]> => [
      ...(await writeFiles(folder)),
      'zz-never-written',
    ];
    await expect(place(true, write)).rejects.toThrow(/zz-never-written/);
    expect(readFileSync(join(target, 'zz-never-written'), 'utf8')).toBe('mine');
    expect(tree()).toEqual(['project', 'project/zz-never-written']);
  });

  it('needs no room outside the folder, which may be on another file system', async () => {
    mkdirSync(target);
    const write = async (folder: string): Promise<string[]> => {
      expect(dirname(dirname(folder))).toBe(target);
      return writeFiles(folder);
    };
    await place(true, write);
    expect(tree()).toHaveLength(5);
  });

  it('takes files away in the same step, and brings them back when it fails', async () => {
    put(join(target, 'old.txt'), 'old');
    const remove = ['old.txt', 'not-there.txt'];
    const failing = async (): Promise<string[]> => ['never-written'];
    await expect(placeProject(target, { force: true, write: failing, remove })).rejects.toThrow(
      /never-written/,
    );
    expect(tree()).toEqual(['project', 'project/old.txt']);
    await placeProject(target, { force: true, write: writeFiles, remove });
    expect(existsSync(join(target, 'old.txt'))).toBe(false);
  });

  it('takes nothing away through a symbolic link', async () => {
    put(join(room, 'elsewhere/old.txt'), 'theirs');
    mkdirSync(target);
    symlinkSync(join(room, 'elsewhere'), join(target, 'docs'));
    const remove = ['docs/old.txt'];
    await expect(placeProject(target, { force: true, write: writeFiles, remove })).rejects.toThrow(
      /not a folder of its own/,
    );
    expect(readdirSync(join(room, 'elsewhere'))).toEqual(['old.txt']);
  });

  it('does not replace a folder by a file', async () => {
    put(join(target, 'package.json/mine'), 'mine');
    await expect(place(true)).rejects.toThrow(/package\.json is a folder and is not replaced/);
    expect(tree()).toEqual(['project', 'project/package.json', 'project/package.json/mine']);
  });
});

describe('a symbolic link', () => {
  it('is refused as the project folder', async () => {
    mkdirSync(join(room, 'elsewhere'));
    symlinkSync(join(room, 'elsewhere'), target);
    await expect(place(true)).rejects.toThrow(/symbolic link, which is never followed/);
    expect(readdirSync(join(room, 'elsewhere'))).toEqual([]);
  });

  it.each([
    ['a folder inside', 'src'],
    ['a file', 'package.json'],
  ])('is not written through in place of %s', async (_, name) => {
    mkdirSync(join(room, 'elsewhere'));
    mkdirSync(target);
    symlinkSync(join(room, 'elsewhere'), join(target, name));
    await expect(place(true)).rejects.toThrow(
      expect.objectContaining({ exitCode: 1, message: expect.stringContaining(join(target, name)) }),
    );
    expect(readdirSync(join(room, 'elsewhere'))).toEqual([]);
    expect(readdirSync(target)).toEqual([name]);
  });

  it('is refused also when it points nowhere', async () => {
    symlinkSync(join(room, 'nowhere'), target);
    await expect(place(true)).rejects.toThrow(/symbolic link/);
    expect(existsSync(join(room, 'nowhere'))).toBe(false);
  });
});

it('a file in place of the project folder is refused', async () => {
  writeFileSync(target, 'mine');
  await expect(place(true)).rejects.toThrow(/is not a folder/);
  expect(readFileSync(target, 'utf8')).toBe('mine');
});
