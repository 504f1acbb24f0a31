import { CommandError } from './run-command.ts';
import type { ServiceName, Stack } from './stack.ts';

/** What the stack says of itself at the end of a run, in spans unless noted. */
export interface Said {
  /** Waiting in the queues of the services and the Collector. */
  readonly queued: number;
  /** Counted as given up, by the processes that run now. */
  readonly dropped: number;
  /** Counters that say that something was refused, given up or dropped, where they are not 0. */
  readonly counters: Readonly<Record<string, number>>;
  /** Endpoints that could not be read. */
  readonly unread: readonly string[];
}

/** Inside the network only, so they are asked from there. */
const endpoints: readonly (readonly [ServiceName, string])[] = [
  ['service-a', 'http://127.0.0.1:9464/metrics'],
  ['service-b', 'http://127.0.0.1:9464/metrics'],
  ['otel-collector', 'http://127.0.0.1:8888/metrics'],
];

const isQueue = /(?:span|exporter).*(?:queue_size|queue_length|queued|spool.*spans)/;
const isGivenUp = /span.*(?:dropped|lost)|(?:dropped|lost).*span|send_failed_spans/;
const isSaid = /span.*(?:dropped|lost|failed|refused)|(?:dropped|lost|failed|refused).*span/;

export async function readSaid(stack: Stack): Promise<Said> {
  const read = await Promise.all(
    endpoints.map(async ([service, url]) => ({ service, text: await readMetrics(stack, service, url) })),
  );
  const samples = read.flatMap(({ service, text }) =>
    readSamples(text ?? '').map(({ name, value }) => ({ name: `${service} ${name}`, value })),
  );
  return {
    queued: sum(samples.filter(({ name }) => isQueue.test(name))),
    dropped: sum(samples.filter(({ name }) => isGivenUp.test(name))),
    counters: Object.fromEntries(
      samples
        .filter(({ name, value }) => isSaid.test(name) && value > 0)
        .map(({ name, value }) => [name, value]),
    ),
    unread: read.filter(({ text }) => text === null).map(({ service }) => service),
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

export interface Sample {
  readonly name: string;
  readonly value: number;
}

/** The samples of a Prometheus text exposition, summed over their labels. */
export function readSamples(text: string): readonly Sample[] {
  const sums = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^([a-zA-Z_:][\w:]*)(?:\{.*\})?[ \t]+(\S+)/.exec(line) ?? [];
    if (name === undefined || !Number.isFinite(Number(value))) continue;
    sums.set(name, (sums.get(name) ?? 0) + Number(value));
  }
  return [...sums].map(([name, value]) => ({ name, value }));
}

function sum(samples: readonly Sample[]): number {
  return samples.reduce((total, { value }) => total + value, 0);
}
