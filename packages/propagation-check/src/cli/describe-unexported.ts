import { isLoopback } from '../calls/inside.ts';
import { countOf } from '../util/count-of.ts';
import { listNames } from '../util/list-names.ts';
import { sumOf } from '../util/statistics.ts';
import type { Result } from '../verdict/result.ts';

/**
 * Notes spans that processes of the command may have lost at their end: requests that continue spans which never arrived, and calls to this
 * machine without a SERVER span. Spans show neither who made such a request nor who answered, so that the verdict stays.
 *
 * @param name The command.
 */
export function describeUnexported({ findings, unjudged = [] }: Result, name: string): readonly string[] {
  const continued = findings.filter(({ id }) => id === 'external-parent');
  const answered = unjudged.filter(
    ({ client, server, why, peer, protocol }) =>
      client !== null &&
      server === undefined &&
      why === undefined &&
      protocol === undefined &&
      isLoopback(peer.replace(/:\d+$/, '')),
  );
  const lost = [
    ...(continued.length === 0
      ? []
      : [
          `sent the ${countOf(sumOf(continued.map(({ count }) => count)), 'request')} to ${listNames(continued.flatMap(({ server }) => server ?? []))} whose parent span never arrived`,
        ]),
    ...(answered.length === 0
      ? []
      : [`answered at ${listNames([...new Set(answered.map(({ peer }) => peer))])}`]),
  ];
  if (lost.length === 0) return [];
  return [
    `if a process of ${name} ${lost.join(', or ')}, and has an SDK, it may have ended before it exported its spans (SIGKILL, process.exit, a long ` +
      'OTEL_BSP_SCHEDULE_DELAY): end it with SIGTERM, and let it await sdk.shutdown() there and before process.exit',
  ];
}
