import { escapeControls } from '../decode/quote-value.ts';
import type { WireRecord } from '../headers/evidence.ts';
import { describeFileError } from '../source/file-error.ts';
import { warnOfOpenAddress } from '../source/open-address.ts';
import { countOf } from '../util/count-of.ts';
import { dayMs, durationExamples, readDuration } from '../util/read-duration.ts';
import { redactRecord } from './redact-record.ts';
import { startTap, type Tap } from './start-tap.ts';
import { TapOptionError } from './tap-option-error.ts';
import type { TapOptions } from './tap-options.ts';
import { openRecordWriter, type RecordWriter } from './write-records.ts';

/** The options of `propagation-check tap`, as texts of the command line. */
export interface TapCommandOptions {
  /** `8083`, `0.0.0.0:8083`, `[::1]:8083` */
  readonly listen?: string;
  readonly target?: string;
  readonly name?: string;
  readonly client?: string;
  readonly server?: string;
  readonly fault?: readonly string[];
  readonly faultRate?: string;
  readonly faultSeed?: string;
  readonly timeout?: string;
  readonly maxHeaderSize?: string;
  readonly out?: string;
  readonly show?: readonly string[];
}

const flushTimeoutMs = 2_000;
/** The longest time of a timer, in whole days. */
const longestTimeoutMs = 24 * dayMs;

/**
 * Runs a tap until SIGINT or SIGTERM; a second signal ends the process at once. Records go to standard output or a
 * file, messages to standard error.
 * @param given The options that the command line has; others have their defaults.
 * @returns The exit code: 0 when all records are written, 2 when the tap could not start or records were lost.
 */
export async function runTap(options: TapCommandOptions, given: ReadonlySet<string>): Promise<number> {
  const stopped = waitForSignal();
  let running: { readonly tap: Tap; readonly writer: RecordWriter };
  try {
    refuseUnusedOptions(options, given);
    running = await start(options);
  } catch (error) {
    say(describeStartError(error, options));
    return 2;
  }
  const { tap, writer } = running;
  say(`listening on ${tap.url}, target ${options.target ?? ''}`);
  const warning = warnOfOpenAddress(tap.url);
  if (warning !== null) say(warning);
  await stopped;
  say('closing when the requests in flight have ended; a second signal (Ctrl-C) ends it at once');
  await tap.close();
  const { lost, error } = await writer.close(flushTimeoutMs);
  if (lost === 0) return 0;
  const records = countOf(lost, 'record');
  say(`${records} could not be written to ${describeLoss(error, options)}`);
  return 2;
}

const optionsOfFaults: ReadonlyMap<string, string> = new Map([
  ['faultRate', '--fault-rate'],
  ['faultSeed', '--fault-seed'],
]);

/** @throws {TapOptionError} */
function refuseUnusedOptions({ fault }: TapCommandOptions, given: ReadonlySet<string>): void {
  if (fault !== undefined) return;
  for (const [name, option] of optionsOfFaults)
    if (given.has(name)) throw new TapOptionError(`${option} works with --fault only`);
}

async function start(
  options: TapCommandOptions,
): Promise<{ readonly tap: Tap; readonly writer: RecordWriter }> {
  const tapOptions = readCommandOptions(options);
  const writer = openRecordWriter(options.out ?? null, (error) =>
    say(`records cannot be written to ${describeLoss(error, options)}; the traffic goes on without`),
  );
  const shownKeys = new Set(options.show);
  const onRecord = (record: WireRecord) => writer.write(redactRecord(record, shownKeys));
  try {
    return { tap: await startTap({ ...tapOptions, onRecord }), writer };
  } catch (error) {
    await writer.close(flushTimeoutMs);
    throw error;
  }
}

function readCommandOptions(options: TapCommandOptions): TapOptions {
  if (options.listen === undefined) throw new TapOptionError('--listen is missing; write --listen 8083');
  if (options.target === undefined)
    throw new TapOptionError('--target is missing; write --target http://HOST:PORT');
  return {
    listen: readListen(options.listen),
    target: options.target,
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.client === undefined ? {} : { client: options.client }),
    ...(options.server === undefined ? {} : { server: options.server }),
    ...(options.fault === undefined ? {} : { faults: options.fault }),
    ...(options.faultRate === undefined ? {} : { faultRate: readNumber('--fault-rate', options.faultRate) }),
    ...(options.faultSeed === undefined ? {} : { faultSeed: readNumber('--fault-seed', options.faultSeed) }),
    ...(options.timeout === undefined ? {} : { timeoutMs: readTimeout(options.timeout) }),
    ...(options.maxHeaderSize === undefined
      ? {}
      : { maxHeaderSize: readNumber('--max-header-size', options.maxHeaderSize) }),
  };
}

function readListen(text: string): TapOptions['listen'] {
  const match = /^(?:(\[[0-9a-fA-F:.]+\]|[^:\s]+):)?([0-9]{1,5})$/.exec(text);
  if (match === null) {
    throw new TapOptionError(`--listen ${JSON.stringify(text.slice(0, 200))}: write a port, or HOST:PORT`);
  }
  const [, host, port] = match;
  return host === undefined
    ? { port: Number(port) }
    : { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

/** @returns Milliseconds. */
function readTimeout(text: string): number {
  const milliseconds = text === '0' ? 0 : readDuration(text);
  if (milliseconds !== null && milliseconds <= longestTimeoutMs) return Math.ceil(milliseconds);
  throw new TapOptionError(
    `--timeout ${JSON.stringify(text.slice(0, 80))}: write a time with its unit, for instance ${durationExamples}, ` +
      '24d at most; 0: for ever',
  );
}

function readNumber(option: string, text: string): number {
  // The range is checked later.
  if (/^-?[0-9]+(\.[0-9]+)?$/.test(text)) return Number(text);
  throw new TapOptionError(`${option} ${JSON.stringify(text.slice(0, 80))}: not a number; see --help`);
}

const listenErrors: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'the port is in use; choose another one'],
  ['EACCES', 'not allowed to listen there; choose a port above 1023'],
  ['EADDRNOTAVAIL', 'this machine does not have that address'],
  ['ENOTFOUND', 'there is no such host'],
]);

function describeStartError(error: unknown, options: TapCommandOptions): string {
  if (error instanceof TapOptionError) return error.message;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const remedy = listenErrors.get(code);
  if (remedy === undefined) throw error;
  return `--listen ${options.listen ?? ''}: ${remedy}`;
}

/** Where and why records are lost. */
function describeLoss(error: Error | null, { out }: TapCommandOptions): string {
  const place = out === undefined ? 'standard output' : JSON.stringify(out);
  return `${place}: ${error === null ? 'it is read too slowly' : describeFileError(error)}`;
}

function say(message: string): void {
  process.stderr.write(`propagation-check tap: ${escapeControls(message)}\n`);
}

/** Listens once for each signal, so that a second one ends the process. */
function waitForSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}
