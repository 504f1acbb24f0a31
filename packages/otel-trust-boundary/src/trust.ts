import { BlockList, isIP } from 'node:net';
import { BoundaryError } from './boundary-error.ts';

/** The peers whose trace context a service continues: none, all, or those in these networks. */
export type Trust = 'never' | 'always' | readonly Network[];

export interface Network {
  readonly family: 'ipv4' | 'ipv6';
  readonly address: string;
  /** Length in bits. */
  readonly prefix: number;
}

/**
 * `never`, `always`, or networks such as `10.0.0.0/8,fd00::/8`.
 * @throws {BoundaryError} for any other text.
 */
export function parseTrust(text: string): Trust {
  if (text === 'never' || text === 'always') return text;
  return text.split(',').map((part) => {
    const network = parseNetwork(part.trim());
    if (network === null) {
      throw new BoundaryError(
        `${JSON.stringify(text)} is not valid; allowed: never, always, or networks such as 10.0.0.0/8,fd00::/8`,
      );
    }
    return network;
  });
}

/** `10.0.0.0/8`; an address without a prefix stands for itself alone. Null where the text is neither. */
function parseNetwork(text: string): Network | null {
  const [address = '', length, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || address.includes('%') || rest.length > 0) return null;
  const bits = version === 4 ? 32 : 128;
  const prefix = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
  return prefix <= bits ? { family: version === 4 ? 'ipv4' : 'ipv6', address, prefix } : null;
}

/** The test for the address of a peer; undefined is an address that nobody knows. */
export function createTrustTest(trust: Trust): (address: string | undefined) => boolean {
  if (trust === 'always') return () => true;
  if (trust === 'never') return () => false;
  const networks = new BlockList();
  for (const { address, prefix, family } of trust) networks.addSubnet(address, prefix, family);
  return (address) => {
    const version = isIP(address ?? '');
    // An IPv4 address in IPv6 notation (`::ffff:10.0.0.1`) is found among those of IPv4.
    return address !== undefined && version !== 0 && networks.check(address, version === 4 ? 'ipv4' : 'ipv6');
  };
}
