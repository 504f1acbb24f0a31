import {
  CountersError,
  parseCollectorCounters,
  parseServiceCounters,
  readSamples,
  type Sample,
  sumSamples,
} from 'account';
import { CommandError } from '../run-command.ts';
import type { ServiceName, Stack } from './stack.ts';

/** The counters of the running processes, in spans unless noted. */
export interface CounterTotals {
  /** Spans that wait in the services, and spans or requests that wait in the Collector. */
  readonly queued: number;
  /** Export requests of the Collector that are in flight or wait for a retry. */
  readonly sending: number;
  /** Spans that were given up on. */
  readonly dropped: number;
  /** Spans that were given up on, or refused so that the sender retried, by service and counter. Zeros are left out. */
  readonly counters: Readonly<Record<string, number>>;
  /** Services whose counters could not be read, so that the length of their queues is unknown. */
  readonly unread: readonly string[];
}

/** The text of a service's counters in Prometheus' format, or null when it could not be read. */
export type CounterText = readonly [service: ServiceName, text: string | null];

/** The ports are not published, so the counters are read from inside the network. */
const serviceUrl = 'http://127.0.0.1:9464/metrics';
const collectorUrl = 'http://collector-counters:8888/metrics';

export async function readCounterTotals(stack: Stack): Promise<CounterTotals> {
  // In the order in which spans travel: a span cannot move from a hop that is read later to a hop that was read before.
  const services = await Promise.all([
    readText(stack, 'service-a', serviceUrl),
    readText(stack, 'service-b', serviceUrl),
  ]);
  return sumUp([...services, await readText(stack, 'otel-collector', collectorUrl)]);
}

/** Whether all counters could be read and all queues are empty. */
export function isQuiet({ queued, unread }: CounterTotals): boolean {
  return queued === 0 && unread.length === 0;
}

/** Sums the counters of the texts. A text without the required counters counts as unreadable. */
export function sumUp(texts: readonly CounterText[]): CounterTotals {
  const read = texts.flatMap(([service, text]) => readCounters(service, text) ?? []);
  return {
    queued: read.reduce((sum, { queued, sending }) => sum + queued + sending, 0),
    sending: read.reduce((sum, { sending }) => sum + sending, 0),
    dropped: read.reduce((sum, { dropped }) => sum + dropped, 0),
    counters: Object.fromEntries(
      read.flatMap(({ service, samples }) =>
        samples
          .filter((sample) => sample.value > 0 && isReported(sample))
          .map(({ name, reason, value }) => [`${service} ${name}${reason && ` ${reason}`}`, value]),
      ),
    ),
    unread: texts
      .map(([service]) => service)
      .filter((service) => !read.some((one) => one.service === service)),
  };
}

interface ServiceCounters {
  readonly service: ServiceName;
  readonly samples: readonly Sample[];
  readonly queued: number;
  readonly sending: number;
  readonly dropped: number;
}

function readCounters(service: ServiceName, text: string | null): ServiceCounters | null {
  if (text === null) return null;
  try {
    const samples = readSamples(text);
    if (service !== 'otel-collector') return { service, samples, sending: 0, ...parseServiceCounters(text) };
    const { queued, failed } = parseCollectorCounters(text);
    const sending = sumSamples(samples.filter(({ name }) => name === 'otelcol_exporter_in_flight_requests'));
    return { service, samples, queued, sending, dropped: failed };
  } catch (error) {
    if (error instanceof CountersError) return null;
    throw error;
  }
}

async function readText(stack: Stack, service: ServiceName, url: string): Promise<CounterText> {
  try {
    return [service, await stack.runNode(service, `fetch('${url}').then((r) => r.text()).then(console.log)`)];
  } catch (error) {
    if (error instanceof CommandError) return [service, null];
    throw error;
  }
}

/** Whether the report shows this counter. Source: OpenTelemetry semantic conventions, "SDK metrics"; Collector, "Internal telemetry". */
function isReported({ name, reason }: Sample): boolean {
  const isOfSdk = /^otel_sdk_(?:exporter_span_exported|processor_span_processed)/.test(name);
  return (
    (isOfSdk && reason !== '') ||
    /^otelcol_(?:exporter_(?:send|enqueue)_failed|receiver_(?:refused|failed)|processor_.*refused)_spans$/.test(
      name,
    )
  );
}
