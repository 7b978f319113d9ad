import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const python = (...args: string[]) =>
  spawnSync('python3', args, {
    encoding: 'utf8',
    env: { ...process.env, PYTHONPATH: path('../../templates/python'), PYTHONDONTWRITEBYTECODE: '1' },
  });

it.skipIf(python('--version').status !== 0)(
  'the parts of the Python template withstand what no contract test sends them',
  () => {
    const { status, stderr } = python(path('python_template_test.py'));
    expect(status, stderr).toBe(0);
  },
);
