import { readCallFacts } from '../calls/call-facts.ts';
import type { Draft } from './check.ts';
import type { FindingId } from './finding.ts';
import { findings } from './findings.ts';
import { findHeaderSetting } from './header-settings.ts';
import { describeNextTap } from './next-tap.ts';

/** Causes that headers tell apart. */
const toldByHeaders: readonly FindingId[] = [
  'header-stripped',
  'header-not-sent',
  'header-rewritten',
  'format-mismatch',
  'client-not-instrumented',
];

/**
 * What to do so that the next report names the cause, the cheapest first: a setting that records headers in spans, then a tap, then a
 * capture of packets. A step that has a command to paste has it in a second line. Empty where the cause is known.
 */
export function listStepsToDecide(draft: Draft): readonly string[] {
  const { id, candidates, protocol, shown } = draft;
  if (candidates === undefined) return [];
  const isToldByHeaders =
    candidates.some((cause) => toldByHeaders.includes(cause)) && protocol !== 'messaging';
  if (!isToldByHeaders) return [findings[id].fix];
  const [first] = shown;
  const settings = [first?.server ?? null, first?.client ?? null].flatMap((span) => {
    const setting = findHeaderSetting(span);
    return span === null || setting === null
      ? []
      : [`Let ${span.serviceName ?? 'the service'} record headers in its spans: ${setting}`];
  });
  const port = first?.server == null ? null : readCallFacts(first.server).port;
  return [
    ...settings,
    ...(id === 'split-trace' ? [] : [findings[id].fix]),
    describeNextTap(draft),
    ...(protocol === 'http'
      ? [
          `Without a restart, of plain HTTP: tcpdump -i any -w wire.pcap tcp port ${port ?? 'PORT'}, and then --wire wire.pcap`,
        ]
      : []),
  ];
}
