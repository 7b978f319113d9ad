import { expect, it } from 'vitest';
import { namesOfCapability } from './capability-id.js';

it.each([
  ['image.resize', ['image-resize', 'imageResizeCapability'], 'image_resize_capability'],
  ['delete', ['delete', 'deleteCapability'], 'delete_capability'],
  ['z', ['z', 'zCapability'], 'z_capability'],
] as const)('%s is no word of a language and no name of the template', (id, [file, variable], snake) => {
  expect(namesOfCapability(id, 'TypeScript')).toEqual({ file, variable });
  expect(namesOfCapability(id, 'Python')).toEqual({ file: snake, variable: snake });
});
