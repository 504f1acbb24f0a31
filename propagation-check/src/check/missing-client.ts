import { readCallFacts } from '../call-facts.ts';
import { isEntry } from '../edge.ts';
import { isExpected } from '../expectation.ts';
import { compareRequests, pairSpans, startsDuring } from '../pair.ts';
import type { Span } from '../span.ts';
import {
  type Check,
  type Draft,
  edgeProtocol,
  groupBy,
  isCovered,
  keyFor,
  type Open,
  type Scene,
  type Shown,
} from './check.ts';

/**
 * SERVER spans that continue a trace of the data under a parent which is nowhere.
 * With a CLIENT span of the same trace left alone, something in between replaced the span id, or a hop is dark;
 * without one, the caller's own span never arrived (`client-span-lost`).
 */
export const findMissingClients: Check = (scene, open) => {
  const orphans = open.orphans.filter((span) => isEntry(span) && isCallerCovered(scene, span));
  const replaced = findReplaced(scene, open, orphans);
  const taken = new Set(replaced.flatMap((draft) => draft.shown.map((shown) => shown.server)));
  const rest = orphans.filter((span) => !taken.has(span));
  return [...replaced, ...findLost(scene, open, rest)];
};

function findReplaced(scene: Scene, open: Open, orphans: readonly Span[]): readonly Draft[] {
  const pairs = pairSpans(
    open.clients,
    orphans,
    (client, server) =>
      client.traceId === server.traceId &&
      client.serviceName !== server.serviceName &&
      isExpectedCaller(scene, client.serviceName, server.serviceName) &&
      compareRequests(client, server) !== 'no',
  );
  return groupBy(pairs, ({ client, server }) => keyFor(client.serviceName, server.serviceName)).flatMap(
    (group) => {
      const first = group[0];
      if (first === undefined) return [];
      return [
        {
          id: 'missing-client' as const,
          severity: 'error' as const,
          client: first.client.serviceName,
          server: first.server.serviceName,
          protocol: edgeProtocol(readCallFacts(first.client).protocol),
          candidates: ['header-rewritten', 'server-span-lost', 'client-span-lost', 'not-sampled'] as const,
          shown: group.map(({ client, server }) => ({
            client,
            server,
            says: `parent ${server.parentSpanId} is nowhere, while CLIENT ${client.spanId} of the same trace has no child`,
          })),
        },
      ];
    },
  );
}

/** Orphans in a trace that the caller's spans belong to as well. */
function findLost(scene: Scene, open: Open, orphans: readonly Span[]): readonly Draft[] {
  const byTrace = new Map(
    groupBy(scene.graph.spans, (span) => span.traceId).map((spans) => [spans[0]?.traceId, spans]),
  );
  const found = orphans.flatMap((server): readonly (Shown & { caller: string | null; dark: boolean })[] => {
    const others = (byTrace.get(server.traceId) ?? []).filter(
      (span) =>
        span.serviceName !== server.serviceName &&
        startsDuring(server, span) &&
        !isBelow(scene, span, server),
    );
    const innermost = others.at(-1);
    if (innermost === undefined) return [];
    const plausible = others.filter((span) => isExpectedCaller(scene, span.serviceName, server.serviceName));
    const caller = plausible.at(-1);
    // A CLIENT left alone in this trace: the header went through a service (or proxy) whose spans are missing.
    const dark = others.some((span) => open.clients.includes(span)) || caller === undefined;
    const expectedCallers = scene.expectation.edges.filter((edge) => edge.server === server.serviceName);
    return [
      {
        client: null,
        server,
        says: `parent ${server.parentSpanId} never arrived; "${innermost.name}" of ${innermost.serviceName} in the same trace did`,
        caller: caller?.serviceName ?? expectedCallers[0]?.client ?? null,
        dark,
      },
    ];
  });
  return groupBy(found, (item) =>
    keyFor(item.caller, item.server?.serviceName ?? null, String(item.dark)),
  ).flatMap((group): readonly Draft[] => {
    const first = group[0];
    if (first?.server == null) return [];
    const edge = {
      severity: 'error' as const,
      client: first.caller,
      server: first.server.serviceName,
      protocol: edgeProtocol(readCallFacts(first.server).protocol),
      shown: group.map(({ client, server, says }) => ({ client, server, says })),
    };
    return first.dark
      ? [
          {
            id: 'missing-client',
            ...edge,
            candidates: ['client-span-lost', 'server-span-lost', 'not-sampled', 'header-rewritten'],
          },
        ]
      : [{ id: 'client-span-lost', ...edge }];
  });
}

function isBelow(scene: Scene, span: Span, server: Span): boolean {
  for (let at: Span | null = span, steps = 0; at !== null && steps < 1_000; steps += 1) {
    if (at === server) return true;
    at = scene.graph.parentOf(at);
  }
  return false;
}

/**
 * Orphans in traces of their own, when the caller is expected: its spans are missing as a whole.
 * A caller outside the data looks the same, so this speaks only where the expected caller shows no call at all.
 */
export const findMissingCallers: Check = (scene, open) =>
  scene.expectation.edges
    .filter((edge) => isExpected(scene.expectation, edge.client, edge.server))
    .flatMap((edge): readonly Draft[] => {
      const seen = scene.calls.filter(
        (call) => call.client.serviceName === edge.client && call.server.serviceName === edge.server,
      );
      const agents = new Set(seen.map((call) => readCallFacts(call.server).userAgent));
      const routes = new Set(seen.map((call) => call.server.name));
      const orphans = open.orphans.filter(
        (span) =>
          isEntry(span) &&
          isCallerCovered(scene, span) &&
          span.serviceName === edge.server &&
          (seen.length === 0 ||
            (agents.has(readCallFacts(span).userAgent) &&
              routes.has(span.name) &&
              agents.size === 1 &&
              !agents.has(null))),
      );
      const first = orphans[0];
      if (first === undefined) return [];
      return [
        {
          id: 'missing-client',
          severity: 'error',
          client: edge.client,
          server: edge.server,
          protocol: edgeProtocol(readCallFacts(first).protocol),
          candidates: ['client-span-lost', 'not-sampled', 'header-rewritten', 'external-parent'],
          shown: orphans.map((server) => ({
            client: null,
            server,
            says: `parent ${server.parentSpanId} is nowhere in the data, nor is any other span of its trace's caller`,
          })),
        },
      ];
    });

/** In one trace, only an expected caller can be the one: the others may have reached it through a dark hop. */
function isExpectedCaller(scene: Scene, client: string | null, server: string | null): boolean {
  const callers = scene.expectation.edges.filter(
    (edge) => edge.server === server && edge.rule !== 'must-not',
  );
  return callers.length === 0 || callers.some((edge) => edge.client === client);
}

/** Whether some service that is known to call this one delivered spans before and after. */
function isCallerCovered(scene: Scene, server: Span): boolean {
  const callers = new Set(
    scene.calls
      .filter((call) => call.server.serviceName === server.serviceName)
      .map((call) => call.client.serviceName),
  );
  return (
    callers.size === 0 ||
    [...callers].some((caller) => isCovered(scene, caller, server.startTimeUnixNano, server.endTimeUnixNano))
  );
}
