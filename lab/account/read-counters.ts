import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { UsageError } from 'propagation-check/kit';
import { z } from 'zod';
import { type Counters, CountersError, parseCollectorCounters, parseServiceCounters } from './counters.ts';

/** `network`: this process is inside the stack's network. `compose`: it asks through a container that is. */
export type Way = 'network' | 'compose';

/** URLs of the counters. The names resolve only inside the stack's network, and no port is published. */
const endpoints = {
  serviceA: 'http://service-a:9464/metrics',
  serviceB: 'http://service-b:9464/metrics',
  collector: 'http://otel-collector:8888/metrics',
} as const;

const timeoutMs = 5_000;

/**
 * Reads all counters once.
 * @throws {UsageError} when one cannot be read; the message says which, and what to do.
 */
export async function readCounters(way: Way, signal: AbortSignal): Promise<Counters> {
  const texts = way === 'network' ? await askDirectly(signal) : await askThroughCompose(signal);
  const [serviceA, serviceB, collector] = texts;
  return {
    serviceA: parse(endpoints.serviceA, serviceA, parseServiceCounters),
    serviceB: parse(endpoints.serviceB, serviceB, parseServiceCounters),
    collector: parse(endpoints.collector, collector, parseCollectorCounters),
  };
}

type Answer = { readonly text: string } | { readonly error: string };

function parse<Parsed>(url: string, answer: Answer | undefined, read: (text: string) => Parsed): Parsed {
  const advice = 'Is the stack up (docker compose up --wait), and does the service have a METRICS_PORT?';
  if (answer === undefined || 'error' in answer) {
    throw new UsageError(`the counters at ${url} cannot be read: ${answer?.error ?? 'no answer'}. ${advice}`);
  }
  try {
    return read(answer.text);
  } catch (error) {
    if (!(error instanceof CountersError)) throw error;
    throw new UsageError(`${url} is not what it should be: ${error.message}. ${advice}`);
  }
}

function askDirectly(signal: AbortSignal): Promise<readonly Answer[]> {
  return Promise.all(
    Object.values(endpoints).map(async (url) => {
      try {
        const response = await fetch(url, {
          signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
        });
        const text = await response.text();
        return response.ok ? { text } : { error: `status ${response.status}` };
      } catch (error) {
        signal.throwIfAborted();
        return { error: describe(error) };
      }
    }),
  );
}

/** Runs in an `assert` container, the only container that reaches all three URLs. */
const askFromInside = `
const ask = async (url) => {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(${timeoutMs}) });
    const text = await response.text();
    return response.ok ? { text } : { error: 'status ' + response.status };
  } catch (error) {
    return { error: error.cause?.message || error.message };
  }
};
Promise.all(process.argv.slice(1).map(ask)).then((answers) => console.log(JSON.stringify(answers)));
`;

const answersSchema = z.array(z.union([z.object({ text: z.string() }), z.object({ error: z.string() })]));

async function askThroughCompose(signal: AbortSignal): Promise<readonly Answer[]> {
  const command = [
    'compose',
    'run',
    '--rm',
    '--no-deps',
    '-T',
    '--entrypoint',
    'node',
    'assert',
    '-e',
    askFromInside,
  ];
  try {
    const { stdout } = await promisify(execFile)('docker', [...command, ...Object.values(endpoints)], {
      signal,
      maxBuffer: 16 * 1024 * 1024,
    });
    // Compose may print build progress before the answer.
    return answersSchema.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
  } catch (error) {
    signal.throwIfAborted();
    throw new UsageError(
      `the counters cannot be read from a container beside the stack: ${describe(error)}. Run this in the folder of docker-compose.yml ` +
        'while the stack is up, or inside of it: docker compose run --rm assert --account',
    );
  }
}

/** The last non-empty line: a command that fails prints its reason there. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stderr = 'stderr' in error ? String(error.stderr) : '';
  const cause = error.cause instanceof Error ? error.cause.message : '';
  return stderr.trim().split('\n').at(-1) || cause || error.message;
}
