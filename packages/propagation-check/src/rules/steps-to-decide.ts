import { readCallFacts } from '../calls/call-facts.ts';
import type { Draft } from './check.ts';
import type { FindingId } from './finding.ts';
import { findings } from './findings.ts';
import { isFromBrowser, isOfMcp } from './fix-by-surroundings.ts';
import { findHeaderSetting } from './header-settings.ts';
import { describeNextTap, quoteForShell } from './next-tap.ts';

/** Causes that headers tell apart. */
const toldByHeaders: readonly FindingId[] = [
  'header-stripped',
  'header-not-sent',
  'header-rewritten',
  'format-mismatch',
  'client-not-instrumented',
];

/** No tap speaks the protocols of brokers, but what was sent stays there. */
const lookIntoBroker =
  'Look at such a message in the broker: its headers (Kafka, AMQP, NATS), attributes (SQS, SNS, Pub/Sub), application properties (Service Bus) or job data. With traceparent the consumer does not extract it, without the producer does not inject it.';

/** Without an expectation, what times say of a call that the caller does not show is a warning. */
function isPossibleCall({ id, severity, shown }: Draft): boolean {
  return id === 'missing-call' && severity === 'warning' && shown.length > 0;
}

/** No instrumentation records `params._meta` in spans. */
function listMcpSteps({ client, server }: Draft): readonly string[] {
  return [
    `Over streamable HTTP: run propagation-check tap --client ${quoteForShell(client ?? 'CALLER')} --server ${quoteForShell(server ?? 'CALLED')} between the two, which records params._meta of each JSON-RPC request`,
    `Over stdio: print the requests as ${server ?? 'the called service'} reads them, with a params._meta.traceparent or without`,
  ];
}

const lookInBrowser =
  "Look at the request in the network panel of the browser's developer tools: without a `traceparent` it is header-not-sent";

/**
 * What to do so that the next report names the cause, the cheapest first: a setting that records headers in spans, then a tap, then a
 * capture of packets. A step that has a command to paste has it in a second line. Empty where the cause is known.
 */
export function listStepsToDecide(draft: Draft): readonly string[] {
  const { id, candidates, protocol, shown, client, server } = draft;
  if (candidates === undefined) return [];
  if (!candidates.some((cause) => toldByHeaders.includes(cause))) return [findings[id].fix];
  if (protocol === 'messaging') return [lookIntoBroker];
  if (isOfMcp(draft)) return listMcpSteps(draft);
  const [first] = shown;
  const settings = [first?.server ?? null, first?.client ?? null].flatMap((span) => {
    const setting = findHeaderSetting(span);
    return span === null || setting === null
      ? []
      : [`Let ${span.serviceName ?? 'the service'} record headers in its spans: ${setting}`];
  });
  const port = first?.server == null ? null : readCallFacts(first.server).port;
  return [
    ...(isPossibleCall(draft)
      ? [
          `If ${client} calls ${server}, check again with --expect ${quoteForShell(`${client} -> ${server}`)}; a program outside that asks both makes the same picture`,
        ]
      : []),
    ...(isFromBrowser(draft) ? [lookInBrowser] : []),
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
