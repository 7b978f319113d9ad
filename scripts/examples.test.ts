import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const examples = resolve(import.meta.dirname, '..', 'examples');
// dependency-audit serves on until it is stopped; its own tests run it in every way.
const stories = readdirSync(examples).filter(
  (name) => name !== 'dependency-audit' && existsSync(join(examples, name, 'package.json')),
);

async function tell(name: string): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, ['dist/main.js'], {
    cwd: join(examples, name),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}

describe('examples', () => {
  test.each(stories)('%s is a story that comes true', async (name) => {
    const { code, output } = await tell(name);
    expect(code, output).toBe(0);
  });
});
