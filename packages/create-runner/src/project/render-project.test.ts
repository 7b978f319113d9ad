import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { projectPath, renderProject, templateFiles } from './render-project.js';
import type { TemplateVersions } from './template-versions.js';
import { ADDITIONS, TEMPLATE_NAMES, templateOf } from './templates.js';

const templates = fileURLToPath(new URL('../../../../templates', import.meta.url));

let room: string;

beforeEach(() => (room = mkdtempSync(join(tmpdir(), 'render-'))));
afterEach(() => rmSync(room, { recursive: true, force: true }));

const layer = (name: string, files: Record<string, string>): string => {
  mkdirSync(join(room, name), { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(room, name, file), text);
  return join(room, name);
};
const renderLayers = async (...layers: string[]) => {
  const data = { name: 'images', port: 1 };
  return Object.fromEntries(
    await renderProject({ layers, versions: { zod: '4.0.0' } as TemplateVersions, data }),
  );
};
const render = (text: string, file = 'x.txt.hbs') => renderLayers(layer('template', { [file]: text }));

describe('a template', () => {
  it('is rendered where its file ends in .hbs', async () => {
    expect(await render("{{{name}}} {{{version 'zod'}}} {{{json port}}}")).toEqual({
      'x.txt': 'images 4.0.0 1',
    });
  });

  it('is copied byte by byte where nothing is to be rendered', async () => {
    const text = '${{ secrets.TOKEN }} {{{name}}}';
    expect(await render(text, 'ci.yml')).toEqual({ 'ci.yml': text });
  });

  it('takes its files and parts from the last layer that has them', async () => {
    const first = layer('first', { 'a.txt': 'first', 'b.txt.hbs': '{{> part}}', 'part.part.hbs': 'first' });
    const second = layer('second', { 'a.txt.hbs': '{{{name}}}', 'part.part.hbs': 'second {{{port}}}' });
    expect(await renderLayers(first, second)).toEqual({ 'a.txt': 'images', 'b.txt': 'second 1' });
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
    ['tests/__init__.py', 'tests/__init__.py'],
    ['.env.example.hbs', '.env.example'],
  ])('of %s is %s', (path, result) => {
    expect(projectPath(path)).toBe(result);
  });
});

describe('every template of ours', () => {
  const files = templateFiles(templates);

  it.each(files.filter((file) => file.endsWith('.hbs')))('%s never escapes for HTML', (file) => {
    const text = readFileSync(join(templates, file), 'utf8');
    expect(text).not.toMatch(/(?<!\{)\{\{(?!\{|[#/>]|else)/);
  });

  it('stands on layers that exist, and every layer serves one', () => {
    const used = new Set(TEMPLATE_NAMES.flatMap((name) => templateOf(name).layers));
    const layers = readdirSync(templates, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect([...used, ...ADDITIONS].sort()).toEqual(layers.map(({ name }) => name).sort());
  });

  it('holds nothing that npm would drop or rename in a tarball', () => {
    for (const file of files) expect(file).not.toMatch(/(^|\/)(\.gitignore|\.npmrc|package\.json)$/);
  });
});
