import { readCallFacts } from '../calls/call-facts.ts';
import type { Draft } from './check.ts';
import type { FindingId } from './finding.ts';
import { findings } from './findings.ts';
import { findHeaderSetting } from './header-settings.ts';
import { lookAtMessage } from './message-advice.ts';

/** Causes that headers tell apart. */
const toldByHeaders: readonly FindingId[] = [
  'header-stripped',
  'header-not-sent',
  'format-mismatch',
  'client-not-instrumented',
];

/**
 * What to do so that the next report names the cause, the cheapest first: a setting that records headers in spans, then what the symptom
 * itself asks for (a tap), then a capture of packets. Empty where the cause is known.
 */
export function listStepsToDecide({ id, candidates, protocol, shown }: Draft): readonly string[] {
  if (candidates === undefined) return [];
  if (protocol === 'messaging') return [lookAtMessage];
  if (!candidates.some((cause) => toldByHeaders.includes(cause))) return [findings[id].fix];
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
    findings[id].fix,
    ...(protocol === 'http'
      ? [
          `Without a restart, of plain HTTP: tcpdump -i any -w wire.pcap tcp port ${port ?? 'PORT'}, and then --wire wire.pcap`,
        ]
      : []),
  ];
}
