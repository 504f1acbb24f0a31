import { readAddress } from '../calls/address.ts';
import { readCallFacts } from '../calls/call-facts.ts';
import { isEncrypted } from '../calls/encrypted.ts';
import { writeExpectOption } from '../expect/write-expect-option.ts';
import { isBeginningOfTraceparent } from '../headers/hidden-value.ts';
import { headerValues } from '../headers/propagation-header.ts';
import { readRecordedHeaders } from '../headers/recorded-headers.ts';
import type { RecordingGap } from '../headers/recording.ts';
import { ownTraceparent } from '../span/own-request.ts';
import type { Span } from '../span/span.ts';
import { quoteForShell } from '../util/quote-for-shell.ts';
import { listHopSteps } from './dark-hop.ts';
import type { Draft } from './draft.ts';
import type { FindingId } from './finding.ts';
import { findings } from './findings.ts';
import { isFromBrowser, isOfMcp } from './fix-by-surroundings.ts';
import { findHeaderSetting } from './header-settings.ts';
import { describeNextTap, formatAddress } from './next-tap.ts';
import { isInvocation, isOfNginx, isSentByNginx, startsWorkflow } from './platforms.ts';

/** Causes that headers distinguish. */
const shownByHeaders: readonly FindingId[] = [
  'header-stripped',
  'header-not-sent',
  'header-rewritten',
  'format-mismatch',
  'client-not-instrumented',
];

/** Symptoms that are also reported for edges that no expectation names. */
const expectable: readonly FindingId[] = ['missing-call', 'split-trace'];

/** Taps do not read the protocols of brokers, but brokers keep the sent messages. */
const lookIntoBroker =
  'Look at such a message in the broker: its headers (Kafka, AMQP, NATS), attributes (SQS, SNS, Pub/Sub), application properties (Service Bus) or job data. If it has a traceparent, the consumer does not extract it; otherwise the producer does not inject it.';

/** If the sender's span is missing, the consumer did extract a context: its parent id is the span to look for. */
function listStepsOfMessage({ id, client, shown: [first] }: Draft): readonly string[] {
  const { parentSpanId = null, traceId } = first?.server ?? {};
  if (id !== 'missing-client' || parentSpanId === null) return [lookIntoBroker];
  const sender = client ?? 'the sender';
  return [
    `Send the spans of ${sender} to the same place, and look for the parent there: span ${parentSpanId} of trace ${traceId}`,
    `Restart ${sender} with OTEL_TRACES_EXPORTER=otlp,console and repeat the messages: a PRODUCER span that it prints and that is not here was lost on its way (client-span-lost); where it prints none, it does not sample (not-sampled), or another wrote the context (header-rewritten, external-parent)`,
  ];
}

/** For warnings of `possible-call.ts` and `possible-message.ts`: an expectation makes them errors. */
function listExpectation({ id, severity, shown, client, server }: Draft): readonly string[] {
  if (severity !== 'warning' || !expectable.includes(id) || shown.length === 0) return [];
  if (client === null || server === null) return [];
  const option = writeExpectOption(client, server);
  return [
    `If ${client} calls ${server} or sends it messages, check again with ${option}; programs outside can look the same in the data`,
  ];
}

/** No instrumentation records `params._meta` in spans. */
function listMcpSteps({ client, server }: Draft): readonly string[] {
  return [
    `Over streamable HTTP: run propagation-check tap --client ${quoteForShell(client ?? 'CALLER')} --server ${quoteForShell(server ?? 'CALLED')} between the two, which records params._meta of each JSON-RPC request`,
    `Over stdio: print the requests as ${server ?? 'the called service'} reads them, and see whether they have params._meta.traceparent`,
  ];
}

/** Taps do not see what a function or a worker receives. */
const lookIntoInvocation =
  'Log the event and context.clientContext in the function: if one of them has a traceparent, the function does not read it (header-ignored); otherwise the caller does not write it (header-not-sent), or the invocation is asynchronous, for which Lambda drops ClientContext';
const lookIntoWorkflow =
  'Look at the header of the first event of such a workflow (temporal workflow show --output json): if it has a traceparent, for example in _tracer-data, the worker does not read it (header-ignored); otherwise the client does not write it (header-not-sent)';

/** The module writes no attribute that tells how it is configured. Source: nginx, "Module ngx_otel_module". */
function listNginxSteps(shown: Draft['shown']): readonly string[] {
  const look = 'Look for otel_trace_context in the output of nginx -T: if it is missing';
  return [
    ...(shown.some(({ server }) => server !== null && isOfNginx(server))
      ? [`${look}, ignore or inject, nginx does not read the header that it receives (header-ignored)`]
      : []),
    ...(shown.some(isSentByNginx)
      ? [`${look}, ignore or extract, nginx sends no context of its own span (header-not-sent)`]
      : []),
  ];
}

const lookInBrowser =
  "Look at the request in the network panel of the browser's developer tools: without a `traceparent` it is header-not-sent";

/**
 * Steps after which the next report names the cause, the cheapest first: a setting that records headers in spans, a tap, a packet capture.
 * A step with a command to paste has it in a second line. Empty if the cause is known.
 */
export function listStepsToDecide(draft: Draft): readonly string[] {
  const { id, candidates, protocol, shown, hop, recordingGaps = {} } = draft;
  if (candidates === undefined) return [];
  // The caller does not call this service: neither its headers nor a tap between the two decide.
  if (hop !== undefined && hop.address !== null) return listHopSteps(hop, draft);
  if (!candidates.some((cause) => shownByHeaders.includes(cause))) return listOwnSteps(draft);
  if (protocol === 'messaging') return [...listExpectation(draft), ...listStepsOfMessage(draft)];
  if (isOfMcp(draft)) return listMcpSteps(draft);
  if (shown.some(isInvocation)) return [...listExpectation(draft), lookIntoInvocation];
  if (shown.some(startsWorkflow)) return [...listExpectation(draft), lookIntoWorkflow];
  const [first] = shown;
  const seen = draft.nextTap?.seen ?? [];
  const settings = (['server', 'client'] as const).flatMap((side) => {
    const span = first?.[side] ?? null;
    const isSeen = seen.includes(side === 'server' ? 'callee' : 'caller');
    return span === null || isSeen ? [] : askForHeaders(span, recordingGaps[side], first?.client ?? null);
  });
  const ports = [first?.server, first?.client].flatMap(
    (span) => (span ? readCallFacts(span).port : null) ?? [],
  );
  const called = first?.client ?? first?.server ?? null;
  const own = id === 'split-trace' ? [] : listOwnSteps(draft);
  // Headers do not show whether a span was exported.
  const isOfHeaders = candidates[0] !== undefined && shownByHeaders.includes(candidates[0]);
  return [
    ...listExpectation(draft),
    ...listNginxSteps(shown),
    ...(isFromBrowser(draft) ? [lookInBrowser] : []),
    ...(isOfHeaders ? [...settings, ...own] : [...own, ...settings]),
    describeNextTap(draft),
    ...(protocol === 'http' && (called === null || !isEncrypted(called))
      ? [
          `Without a restart, for plain HTTP: tcpdump -i any -w wire.pcap tcp port ${ports.at(0) ?? 'PORT'}, and then --wire wire.pcap`,
        ]
      : []),
  ];
}

function listOwnSteps(draft: Draft): readonly string[] {
  const { id, protocol, server, hop, candidates = [] } = draft;
  if (hop !== undefined) return listHopSteps(hop, draft);
  if (id !== 'missing-server' || !candidates.includes('server-span-lost')) return [findings[id].fix];
  const span = protocol === 'messaging' ? 'CONSUMER' : 'SERVER';
  return [
    `Restart ${server ?? 'the called service'} with OTEL_TRACES_EXPORTER=otlp,console and repeat the calls: a ${span} span that it prints and that is not here was lost on its way (server-span-lost)`,
    'Where it prints none for a call, add OTEL_TRACES_SAMPLER=always_on and repeat: a span that it prints now was not sampled (not-sampled); if there is still none, no instrumentation creates it (server-not-instrumented)',
  ];
}

/**
 * The setting that makes the spans of the service record the headers that it sent or received. Empty if the spans have them, or if no
 * setting is known.
 */
function askForHeaders(span: Span, gap: RecordingGap | undefined, caller: Span | null): readonly string[] {
  const who = span.serviceName ?? 'the service';
  if (gap === 'process')
    return [
      `Let the resource of ${who} name its process (service.instance.id, or k8s.pod.name): then the headers that its spans have, or lack, decide`,
    ];
  if (gap === 'time')
    return [
      `Check only calls after the first one of which ${who} recorded a header: earlier calls may be from before the setting`,
    ];
  const { fields, hidden } = readRecordedHeaders(span, 'request');
  const isCut = headerValues(fields, 'traceparent').some(isBeginningOfTraceparent);
  if (hidden.includes('traceparent') || isCut)
    return [
      `Let spans of ${who} show the traceparent that they have: exclude it from redaction, and let OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT allow its 55 characters`,
    ];
  const setting = findHeaderSetting(span);
  if (setting === null) return [];
  const record = `Let ${who} record headers in its spans: ${setting}`;
  return span.kind === 'SERVER'
    ? [record, sendHeader(span, who, caller)]
    : [`${record}. If it does so already, these calls had none of the headers`];
}

/** If no call has the header, nothing shows that headers are recorded: instrumentations omit headers that did not arrive. */
function sendHeader(span: Span, who: string, caller: Span | null): string {
  const step = `Before the calls, send ${who} a request of your own that has a traceparent. If its span shows the header, ${who} records headers, and later spans without the header received none`;
  if (readCallFacts(span).protocol !== 'http') return step;
  const address = [span, caller].map(findPlainAddress).find((each) => each !== null) ?? 'HOST:PORT';
  return `${step}:\ncurl -H 'traceparent: ${ownTraceparent}' http://${address}/`;
}

/** With TLS the address is that of the hop that ends TLS. */
function findPlainAddress(span: Span | null): string | null {
  return span === null || isEncrypted(span) ? null : formatAddress(readAddress(span));
}
