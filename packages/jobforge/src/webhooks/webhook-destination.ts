/**
 * @module
 * webhooks/ tells others how jobs ended: who is to be told, what is still to be told, and the requests that do it. It
 * imports contracts, model/, store/ and the signature of links/; never scheduler, api or cli.
 */
import { BlockList, isIP } from 'node:net';

/** Networks that are this machine, its neighbours or nobody: RFC 6890 and those after it. */
const PRIVATE: readonly (readonly [network: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['::', 128],
  ['::1', 128],
  // An IPv4 address in other clothes: mapped, translated, tunnelled.
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2001::', 32],
  ['2002::', 16],
  ['100::', 64],
  ['2001:db8::', 32],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
];

const FAMILIES = { 4: 'ipv4', 6: 'ipv6' } as const;

/** One a family: a list of both takes an IPv4 address for its mapped form. */
const blocked = { 4: new BlockList(), 6: new BlockList() };
for (const [network, prefix] of PRIVATE) {
  const family = isIP(network) === 4 ? 4 : 6;
  blocked[family].addSubnet(network, prefix, FAMILIES[family]);
}

/** Whether an address is none of the open internet. What is no address at all counts as one that is not. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address);
  return (family !== 4 && family !== 6) || blocked[family].check(address, FAMILIES[family]);
}

/** The host of a URL as an address; undefined where it is a name. */
export function addressOf({ hostname }: URL): string | undefined {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return isIP(bare) === 0 ? undefined : bare;
}

/** Why nothing is sent to a URL, as far as it says so itself: what a name stands for is seen when it is looked up. */
export function destinationProblem(url: string, allowPrivate: boolean): string | undefined {
  const parsed = new URL(url);
  if (parsed.username !== '' || parsed.password !== '') return 'it carries a user name or a password';
  if (allowPrivate) return undefined;
  const address = addressOf(parsed);
  const isLocal = address === undefined && /(^|\.)localhost\.?$/i.test(parsed.hostname);
  if (isLocal || (address !== undefined && isPrivateAddress(address)))
    return 'it is an address of this machine or of a private network, and those are not allowed here';
  return undefined;
}
