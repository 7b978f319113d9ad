import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { projectPath, renderProject, templateFiles } from './render-project.js';
import type { TemplateVersions } from './template-versions.js';

const templates = fileURLToPath(new URL('../../../../templates', import.meta.url));

let room: string;

beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), 'render-'));
  mkdirSync(join(room, 'template'));
  mkdirSync(join(room, 'into'));
});
afterEach(() => rmSync(room, { recursive: true, force: true }));

const render = (text: string, file = 'x.txt.hbs') => {
  writeFileSync(join(room, 'template', file), text);
  return renderProject({
    template: join(room, 'template'),
    versions: { zod: '4.0.0' } as TemplateVersions,
    data: { name: 'images', description: 'x', port: 1, run: 'npm run', execute: 'npx' },
    origin: { template: 't', version: '1.0.0', answers: {} },
    into: join(room, 'into'),
  });
};

describe('a template', () => {
  it('is rendered where its file ends in .hbs', async () => {
    await render("{{{name}}} {{{version 'zod'}}} {{{json port}}}");
    expect(readFileSync(join(room, 'into/x.txt'), 'utf8')).toBe('images 4.0.0 1');
  });

  it('is copied byte by byte where nothing is to be rendered', async () => {
    await render('${{ secrets.TOKEN }} {{{name}}}', 'ci.yml');
    expect(readFileSync(join(room, 'into/ci.yml'), 'utf8')).toBe('${{ secrets.TOKEN }} {{{name}}}');
  });

  it.each([
    ['a value', '{{{nmae}}}', /nmae/],
    ['a helper', '{{{jsn name}}}', /jsn/],
    ['a package', "{{{version 'left-pad'}}}", /left-pad/],
  ])('that names %s which does not exist is an error, not an empty text', async (_, text, message) => {
    await expect(render(text)).rejects.toThrow(message);
  });
});

describe('the path in the project', () => {
  it.each([
    ['_gitignore', '.gitignore'],
    ['package.json.hbs', 'package.json'],
    ['src/_npmrc.hbs', 'src/.npmrc'],
    ['src/a_b.ts', 'src/a_b.ts'],
    ['.env.example.hbs', '.env.example'],
  ])('of %s is %s', (path, result) => {
    expect(projectPath(path)).toBe(result);
  });
});

describe('every template of ours', () => {
  const files = templateFiles(join(templates, 'typescript-push'));

  it.each(files.filter((file) => file.endsWith('.hbs')))('%s never escapes for HTML', (file) => {
    const text = readFileSync(join(templates, 'typescript-push', file), 'utf8');
    expect(text).not.toMatch(/(?<!\{)\{\{(?!\{|[#/]|else)/);
  });

  it('holds nothing that npm would drop or rename in a tarball', () => {
    for (const file of files) expect(file).not.toMatch(/(^|\/)(\.gitignore|\.npmrc|package\.json)$/);
  });
});
