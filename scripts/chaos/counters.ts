import { CommandError } from './run-command.ts';
import type { ServiceName, Stack } from './stack.ts';

/** What the stack says of itself, in spans unless noted: the counters of the processes that run now. */
export interface Said {
  /** Spans, or requests, that wait in the services and in the Collector. */
  readonly queued: number;
  /** Given up. */
  readonly dropped: number;
  /** What was given up, or refused so that the sender had to try again, by service and counter; without those that are 0. */
  readonly counters: Readonly<Record<string, number>>;
  /** Services whose counters could not be read. */
  readonly unread: readonly string[];
}

/** Inside the network only, so they are asked from there. */
const endpoints: readonly (readonly [ServiceName, string])[] = [
  ['service-a', 'http://127.0.0.1:9464/metrics'],
  ['service-b', 'http://127.0.0.1:9464/metrics'],
  ['otel-collector', 'http://collector-counters:8888/metrics'],
];

/** Source: OpenTelemetry semantic conventions, "SDK metrics"; Collector, "Internal telemetry". */
const queues: ReadonlySet<string> = new Set([
  'otel_sdk_processor_span_queue_size',
  'otel_sdk_exporter_span_inflight',
  'otelcol_exporter_queue_size',
  'otelcol_exporter_in_flight_requests',
]);

export async function readSaid(stack: Stack): Promise<Said> {
  const texts = await Promise.all(endpoints.map(([service, url]) => readMetrics(stack, service, url)));
  const samples = texts.flatMap((text, index) =>
    readSamples(text ?? '').map((sample) => ({ ...sample, service: endpoints[index]?.[0] ?? '' })),
  );
  return {
    queued: sum(samples.filter(({ name }) => queues.has(name))),
    dropped: sum(samples.filter(isDropped)),
    counters: Object.fromEntries(
      samples
        .filter((sample) => sample.value > 0 && (isDropped(sample) || isRefused(sample)))
        .map(({ service, name, reason, value }) => [`${service} ${name}${reason && ` ${reason}`}`, value]),
    ),
    unread: endpoints.flatMap(([service], index) => (texts[index] === null ? [service] : [])),
  };
}

async function readMetrics(stack: Stack, service: ServiceName, url: string): Promise<string | null> {
  try {
    return await stack.runNode(service, `fetch('${url}').then((r) => r.text()).then(console.log)`);
  } catch (error) {
    if (error instanceof CommandError) return null;
    throw error;
  }
}

function isDropped({ name, reason }: Sample): boolean {
  const isOfSdk = /^otel_sdk_(?:exporter_span_exported|processor_span_processed)/.test(name);
  return (isOfSdk && reason !== '') || /^otelcol_exporter_send_failed_spans/.test(name);
}

function isRefused({ name }: Sample): boolean {
  return /^otelcol_(?:exporter_enqueue_failed|receiver_(?:refused|failed)|processor_.*refused)_spans/.test(
    name,
  );
}

/** Of one counter, with one reason, summed over all other labels. */
export interface Sample {
  readonly name: string;
  /** The label `error_type`; empty where there is none. */
  readonly reason: string;
  readonly value: number;
}

/** The samples of a Prometheus text exposition. */
export function readSamples(text: string): readonly Sample[] {
  const sums = new Map<string, Sample>();
  for (const line of text.split('\n')) {
    const [, name, labels = '', number] = /^([a-zA-Z_:][\w:]*)(\{.*\})?[ \t]+(\S+)/.exec(line) ?? [];
    const value = Number(number);
    if (name === undefined || !Number.isFinite(value)) continue;
    const reason = /[{,]error_type="([^"]*)"/.exec(labels)?.[1] ?? '';
    const key = `${name} ${reason}`;
    sums.set(key, { name, reason, value: (sums.get(key)?.value ?? 0) + value });
  }
  return [...sums.values()];
}

function sum(samples: readonly Sample[]): number {
  return samples.reduce((total, { value }) => total + value, 0);
}
