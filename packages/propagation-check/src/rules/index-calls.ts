import type { Span } from '../span/span.ts';
import { mapBy } from '../util/group-by.ts';

/** Calls by their caller and target. */
export interface CallIndex {
  targetsOf(client: string | null): ReadonlySet<string>;
  /** The calls of a service to some targets, in the order of the list. */
  callsTo(client: string | null, targets: ReadonlySet<string>): readonly Span[];
}

export function indexCalls(calls: readonly Span[], targetOf: (call: Span) => string): CallIndex {
  const ofServices = new Map(
    [...mapBy(calls, (span) => span.serviceName)].map(([service, ofService]) => [
      service,
      { calls: ofService, ofTargets: mapBy(ofService, targetOf) },
    ]),
  );
  return {
    targetsOf: (client) => new Set(ofServices.get(client)?.ofTargets.keys()),
    callsTo: (client, targets) => {
      const { calls = [], ofTargets } = ofServices.get(client) ?? {};
      const [target, another] = targets;
      // For several targets the whole list is filtered, which keeps its order.
      return another === undefined && target !== undefined
        ? (ofTargets?.get(target) ?? [])
        : calls.filter((span) => targets.has(targetOf(span)));
    },
  };
}
