import { describe, expect, test } from 'vitest';
import { meantCommand } from './swallowed-flags.mjs';

const npm = (config: Record<string, string>) => ({ npm_lifecycle_event: 'start', ...config });

describe('flags that npm keeps to itself', () => {
  test('are found with their value, whether npm took it or left it behind', () => {
    const meant = 'npm start -- --exit --input /nope';
    expect(meantCommand(npm({ npm_config_exit: 'true', npm_config_input: '/nope' }), [])).toBe(meant);
    expect(meantCommand(npm({ npm_config_exit: 'true', npm_config_input: 'true' }), ['/nope'])).toBe(meant);
  });

  test('are none where everything was passed on', () => {
    expect(meantCommand(npm({}), ['--exit', '--input', '/nope'])).toBeUndefined();
  });

  test('concern npm start alone', () => {
    expect(meantCommand({ npm_lifecycle_event: 'bench', npm_config_exit: 'true' }, [])).toBeUndefined();
  });
});
