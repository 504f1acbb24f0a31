import { readAddress } from '../calls/address.ts';
import { isEncrypted } from '../calls/encrypted.ts';
import { namesItsConnection } from '../headers/place.ts';
import { quoteForShell } from '../util/quote-for-shell.ts';
import type { Draft, NextTap } from './draft.ts';

const nowhere: NextTap = { side: 'caller', calledAt: [], seen: [] };

/**
 * The tap that decides: two lines, and the second is its command. The caller's side comes first, as its spans know the address that it
 * calls; with nothing between the two services one tap there proves both sides.
 */
export function describeNextTap(draft: Draft): string {
  const { side } = draft.nextTap ?? nowhere;
  return side === 'caller' ? placeAtCaller(draft) : placeAtCallee(draft);
}

function placeAtCaller({ client, shown }: Draft): string {
  const called = shown.find((call) => call.client !== null)?.client ?? shown[0]?.server ?? null;
  if (called !== null && isEncrypted(called))
    return 'A tap reads plain HTTP alone, and the caller calls https: put one where TLS ends, in front of the called service';
  const address = called === null ? null : formatAddress(readAddress(called));
  const who = client ?? 'the caller';
  return (
    `Let ${who} call a tap instead of ${address ?? 'the address that it calls now (HOST:PORT)'}, and check again with --wire ${outOf('caller')} added:\n` +
    writeCommand(address, 'caller', client)
  );
}

function placeAtCallee(draft: Draft): string {
  const { server, shown } = draft;
  const address = findOwnAddress(draft);
  const who = server ?? 'the called service';
  // The address may be another hop's. Spans that name their connections prove the place without anybody's word.
  const isProvable = shown.some((call) => call.server !== null && namesItsConnection(call.server));
  return (
    `Put a tap directly in front of ${who}: let the last hop before it call the tap instead of ${who} itself ` +
    `(${address === null ? 'HOST:PORT' : `${address}, if no proxy listens there`}), and check again with --wire ${outOf('callee')} added:\n` +
    writeCommand(address, 'callee', isProvable ? null : server)
  );
}

/**
 * The address of a SERVER span comes from the request's Host header. Where nobody on the way wrote it anew it is the one that the
 * caller called, or that of a tap, and says nothing of the called service.
 */
function findOwnAddress({ shown, nextTap }: Draft): string | null {
  const { client = null, server = null } = shown.find((call) => call.server !== null) ?? {};
  // The address of TLS is that of the hop that ends it.
  if (server === null || isEncrypted(server)) return null;
  const address = formatAddress(readAddress(server));
  const ports = [
    ...(nextTap ?? nowhere).calledAt.map(portOf),
    ...(client === null ? [] : [readAddress(client).port]),
  ];
  return address === null || ports.includes(portOf(address)) ? null : address;
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}

function writeCommand(address: string | null, side: NextTap['side'], service: string | null): string {
  const target = address ?? 'HOST:PORT';
  // Callers of another machine's service are seldom on this one.
  const listen = address === null || /^(?:localhost|127\.|\[::1\])/.test(address) ? '0' : '0.0.0.0:0';
  const place = side === 'caller' ? '--client' : '--server';
  const label = service === null ? '' : ` ${place} ${quoteForShell(service)}`;
  return `propagation-check tap --listen ${listen} --target http://${target}${label} --out ${outOf(side)}`;
}

function outOf(side: NextTap['side']): string {
  return `wire-${side}.jsonl`;
}

/** Spans come from the network: what is not a host name or an address must not reach a shell. */
function formatAddress({ host, port }: ReturnType<typeof readAddress>): string | null {
  if (host === null) return null;
  const plain = host.replace(/^\[|\]$/g, '');
  if (!/^[\w.-]+$|^[\da-fA-F:.]+$/.test(plain)) return null;
  return `${plain.includes(':') ? `[${plain}]` : plain}:${port ?? defaultPort}`;
}

const defaultPort = 80;
