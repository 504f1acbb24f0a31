import { nameEndpoints } from '../calls/endpoint.ts';
import { isHealthProbe } from '../calls/probes.ts';
import { shareComparisons } from '../pairing/limit-work.ts';
import { indexByTime, startsDuringAny } from '../pairing/times.ts';
import { groupBy } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { earlier, later } from '../util/statistics.ts';
import type { BaseScene, Routes } from './scene.ts';

export function indexRoutes({ graph, entriesOf, thresholds }: BaseScene, service: string | null): Routes {
  const ofService = entriesOf(service);
  const all = groupBy(ofService, nameEndpoints(ofService)).filter(([first]) => !isHealthProbe(first));
  const entries = all.flat();
  const index = remember(() => ({
    open: indexByTime(entries, thresholds),
    routeOf: new Map(all.flatMap((route, at) => route.map((entry) => [entry, at] as const))),
  }));
  return {
    all,
    during(calls) {
      const { open, routeOf } = index();
      const found = new Set<number>();
      const looks = shareComparisons(calls.length);
      for (const { startTimeUnixNano } of calls) {
        let left = looks;
        open.someOpen(startTimeUnixNano, (entry) => {
          found.add(routeOf.get(entry) ?? 0);
          left -= 1;
          return left <= 0 || found.size === all.length;
        });
        if (left <= 0 || found.size === all.length) return all;
      }
      return [...found].sort((left, right) => left - right).flatMap((at) => all.slice(at, at + 1));
    },
    times: remember(() => ({
      from: entries.map((entry) => entry.startTimeUnixNano).reduce(earlier),
      to: entries.map((entry) => entry.endTimeUnixNano).reduce(later),
      // One service has one clock.
      isDuring: startsDuringAny(graph, entries, { ...thresholds, clockTolerance: thresholds.rounding }),
    })),
  };
}
