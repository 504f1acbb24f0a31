import { nameAddress, readAddress } from '../calls/address.ts';
import { isPublicName } from '../calls/inside.ts';
import type { Span } from '../span/span.ts';
import { keyFor } from '../util/group-by.ts';
import { quoteForShell } from '../util/quote-for-shell.ts';
import type { DarkHop, Draft } from './draft.ts';
import type { Scene } from './scene.ts';

/**
 * @param expected The expected caller of `server`.
 * @param call A call that was open when `server` began, and that nothing continues.
 */
export function findDarkHop(
  scene: Scene,
  expected: string | null,
  call: Span | undefined,
  server: Span,
): DarkHop | null {
  if (expected !== null) return nameDarkCaller(scene, expected);
  if (call === undefined || !isSentElsewhere(call, server)) return null;
  const address = nameAddress(readAddress(call));
  return address === null ? null : { service: null, address };
}

export function nameDarkCaller({ services }: Scene, expected: string): DarkHop | null {
  return services.has(expected) ? null : { service: expected, address: null };
}

/** Whether the call names another address than the SERVER span. A public name may be a third party, which calls no service of ours. */
function isSentElsewhere(call: Span, server: Span): boolean {
  const [sent, own] = [readAddress(call), readAddress(server)];
  if (sent.host === null || isPublicName(sent.host)) return false;
  const host = sent.host.toLowerCase();
  if (mayBeHostOf(host, server.serviceName?.toLowerCase() ?? '')) return false;
  return (
    (sent.port !== null && own.port !== null && sent.port !== own.port) ||
    (own.host !== null && isHostName(host) && isHostName(own.host) && own.host.toLowerCase() !== host)
  );
}

/** A host may be named after its service: `orders.shop.svc`, `orders-svc`, or `orders` for the service `orders-api`. */
function mayBeHostOf(host: string, service: string): boolean {
  const [label = ''] = host.split('.');
  return isPartOf(service, host) || isPartOf(label, service);
}

function isPartOf(part: string, name: string): boolean {
  return name === part || name.startsWith(`${part}.`) || name.startsWith(`${part}-`);
}

/** A SERVER span may name the address at which it listens. */
function isHostName(host: string): boolean {
  return /[a-z]/i.test(host) && host !== 'localhost' && !host.includes(':');
}

export function keyOfHop(hop: DarkHop | null): string {
  return keyFor(hop?.service ?? null, hop?.address ?? null);
}

export function describeHop(hop: DarkHop, { client, server }: Pick<Draft, 'client' | 'server'>): string {
  return hop.address === null
    ? `no span of ${hop.service} is in the data`
    : `${client ?? 'the caller'} called ${hop.address} at that time: a service there, whose spans are not in the data, may have called ${server ?? 'the called service'}`;
}

export function describeHopFix(hop: DarkHop): string {
  return `Let ${nameHop(hop)} export its spans to the same place: check the address of its exporter, and its log for failed exports.`;
}

export function listHopSteps(hop: DarkHop, { client, server }: Draft): readonly string[] {
  const restart = `Restart ${nameHop(hop)} with OTEL_TRACES_EXPORTER=otlp,console and repeat the calls: spans that it prints and that are not here were lost on their way, or went elsewhere (OTEL_EXPORTER_OTLP_ENDPOINT)`;
  if (hop.address === null) return [restart];
  const path = quoteForShell(`${client ?? 'CALLER'} -> SERVICE -> ${server ?? 'CALLED'}`);
  return [
    `Find ${nameHop(hop)}: if it calls ${server ?? 'the called service'}, its spans are the missing ones. ${restart}`,
    `Then check again with --expect ${path}, SERVICE being its service.name. If it makes no such call, a CLIENT span of ${client ?? 'the caller'} was lost (client-span-lost)`,
  ];
}

function nameHop({ service, address }: DarkHop): string {
  return service ?? `the service at ${address}`;
}
