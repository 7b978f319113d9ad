import { describe, expect, it } from 'vitest';
import { destinationProblem, isPrivateAddress } from './webhook-destination.js';

describe('an address', () => {
  it.each([
    ...['127.0.0.1', '10.1.2.3', '172.31.255.1', '192.168.0.9', '169.254.169.254', '100.64.0.1', '0.0.0.0'],
    ...[
      '::1',
      '::',
      'fd00::1',
      'fe80::1',
      '::ffff:127.0.0.1',
      '::ffff:8.8.8.8',
      '64:ff9b::7f00:1',
      '2002:7f00:1::',
    ],
    ...['224.0.0.1', '255.255.255.255', 'ff02::1', 'no address'],
  ])('%s is none of the open internet', (address) => {
    expect(isPrivateAddress(address)).toBe(true);
  });

  it.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '2606:4700::1111'])('%s is one', (address) => {
    expect(isPrivateAddress(address)).toBe(false);
  });
});

describe('a URL', () => {
  it.each([
    ...['http://localhost/x', 'http://a.localhost:8080', 'http://LOCALHOST./', 'https://127.0.0.1/'],
    // The same address in other clothes.
    ...[
      'http://2130706433/',
      'http://0x7f.1/',
      'http://127.1/',
      'http://[::1]/',
      'http://[::ffff:127.0.0.1]/',
    ],
    ...['http://169.254.169.254/latest/meta-data'],
  ])('%s is refused unless private networks are allowed', (url) => {
    expect(destinationProblem(url, false)).toContain('not allowed');
    expect(destinationProblem(url, true)).toBeUndefined();
  });

  it('with a password in it is refused', () => {
    expect(destinationProblem('https://me:secret@example.org/', true)).toContain('password');
    expect(destinationProblem('https://example.org/hook', false)).toBeUndefined();
  });
});
