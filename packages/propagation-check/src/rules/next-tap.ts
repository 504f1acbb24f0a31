import { readAddress } from '../calls/address.ts';
import { isEncrypted } from '../calls/encrypted.ts';
import { namesItsConnection } from '../headers/place.ts';
import { quoteForShell } from '../util/quote-for-shell.ts';
import type { Draft, NextTap } from './draft.ts';
import { isOfProxy } from './platforms.ts';

const nowhere: NextTap = { side: 'caller', calledAt: [], seen: [] };

/**
 * The tap that decides the cause, in two lines: a sentence and its command. A tap at the caller comes first, as the caller's spans name the
 * address that it calls. If nothing stands between the two services, one tap there proves both sides.
 */
export function describeNextTap(draft: Draft): string {
  const { side } = draft.nextTap ?? nowhere;
  return side === 'caller' ? placeAtCaller(draft) : placeAtCallee(draft);
}

function placeAtCaller({ client: name, shown }: Draft): string {
  const client = shown.find((call) => call.client !== null)?.client ?? null;
  const [{ server = null, during = null } = {}] = shown;
  const caller = client ?? during;
  // A SERVER span has the address at which its own service was called, and a proxy may forward that address in the Host header.
  const isForwarded = caller !== null && caller.kind !== 'CLIENT' && isOfProxy(caller);
  const called = isForwarded ? null : (client ?? server);
  if (called !== null && isEncrypted(called))
    return 'A tap reads only plain HTTP, and the caller uses https: put one where TLS ends, in front of the called service';
  const address = called === null ? null : formatAddress(readAddress(called));
  const who = name ?? 'the caller';
  return (
    `Let ${who} call a tap instead of ${address ?? 'the address that it calls now (HOST:PORT)'}, and check again with --wire ${outOf('caller')} added:\n` +
    writeCommand(address, 'caller', name)
  );
}

function placeAtCallee(draft: Draft): string {
  const { server, shown } = draft;
  const address = findOwnAddress(draft);
  const who = server ?? 'the called service';
  // The address may belong to another hop. Spans that name their connections prove where the tap stands, without a label.
  const isProvable = shown.some((call) => call.server !== null && namesItsConnection(call.server));
  return (
    `Put a tap directly in front of ${who}: let the last hop before it call the tap instead of ${who} itself ` +
    `(${address === null ? 'HOST:PORT' : `${address}, if no proxy listens there`}), and check again with --wire ${outOf('callee')} added:\n` +
    writeCommand(address, 'callee', isProvable ? null : server)
  );
}

/**
 * A SERVER span takes its address from the Host header of the request. If no hop rewrote that header, it names the address that the caller
 * called, or a tap, and says nothing about the called service.
 */
function findOwnAddress({ shown, nextTap }: Draft): string | null {
  const { client = null, server = null } = shown.find((call) => call.server !== null) ?? {};
  // With TLS the address is that of the hop that ends TLS.
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
  // Callers of a service on another machine are seldom on this machine.
  const listen = address === null || /^(?:localhost|127\.|\[::1\])/.test(address) ? '0' : '0.0.0.0:0';
  const place = side === 'caller' ? '--client' : '--server';
  const label = service === null ? '' : ` ${place} ${quoteForShell(service)}`;
  return `propagation-check tap --listen ${listen} --target http://${target}${label} --out ${outOf(side)}`;
}

function outOf(side: NextTap['side']): string {
  return `wire-${side}.jsonl`;
}

/** Spans come from the network: only a host name or an address may reach a shell. */
export function formatAddress({ host, port }: ReturnType<typeof readAddress>): string | null {
  if (host === null) return null;
  const plain = host.replace(/^\[|\]$/g, '');
  if (!/^[\w.-]+$|^[\da-fA-F:.]+$/.test(plain)) return null;
  return `${plain.includes(':') ? `[${plain}]` : plain}:${port ?? defaultPort}`;
}

const defaultPort = 80;
