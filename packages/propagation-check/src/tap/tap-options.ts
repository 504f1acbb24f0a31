import type { WireRecord } from '../headers/evidence.ts';
import type { TapSetup } from './exchange.ts';
import { parseFault } from './fault.ts';
import { TapOptionError } from './tap-option-error.ts';

/** Where the tap listens, what it forwards to, and its faults. */
export interface TapOptions {
  /** The address of the tap; port 0 takes a free one. The host is 127.0.0.1 by default. */
  readonly listen: { readonly host?: string; readonly port: number };
  /** The origin of the target: `http://service-b:8082`. */
  readonly target: string;
  /** Called once for each request when its exchange has ended, in the order of these ends. Must not throw. */
  readonly onRecord?: (record: WireRecord) => void;
  /** The name of the tap in records; its listening address by default. */
  readonly name?: string;
  /** The `service.name` of the callers. */
  readonly client?: string;
  /** The `service.name` of the target. */
  readonly server?: string;
  /** As on the command line: `strip`, `delay=200`. Applied in this order. */
  readonly faults?: readonly string[];
  /** The share of requests that get the faults, from 0 to 1. Default 1. */
  readonly faultRate?: number;
  /** An integer, default 1. With the same seed the same requests get the faults, with the same ids. */
  readonly faultSeed?: number;
  /** How long the target may take to begin its answer, in milliseconds; 0 for no limit. Default 60,000. */
  readonly timeoutMs?: number;
  /** The limit of the header section of a request and of an answer, in bytes. Default 65,536. */
  readonly maxHeaderSize?: number;
}

export interface ReadTapOptions extends Omit<TapSetup, 'tap' | 'onRecords'> {
  readonly onRecord: (record: WireRecord) => void;
  readonly host: string;
  readonly port: number;
  readonly name: string | null;
}

/** @throws {TapOptionError} when an option is invalid; the message names it as on the command line. */
export function readTapOptions(options: TapOptions): ReadTapOptions {
  const { host = '127.0.0.1', port } = options.listen;
  const target = readTarget(options.target);
  checkInteger('--listen', port, 0, 65_535);
  if (port !== 0 && Number(target.port || 80) === port && isSameHost(host, target.hostname)) {
    throw new TapOptionError(
      `--target ${target.origin}: this is the tap itself; give the address of the next service`,
    );
  }
  const faultRate = options.faultRate ?? 1;
  if (!(faultRate >= 0 && faultRate <= 1)) {
    throw new TapOptionError(`--fault-rate ${faultRate}: write a number from 0 to 1`);
  }
  return {
    host,
    port,
    name: options.name ?? null,
    target,
    client: options.client ?? null,
    server: options.server ?? null,
    faults: (options.faults ?? []).map(parseFault),
    faultRate,
    faultSeed: checkInteger('--fault-seed', options.faultSeed ?? 1, 0, Number.MAX_SAFE_INTEGER),
    timeoutMs: checkInteger('--timeout', options.timeoutMs ?? 60_000, 0, 2 ** 31 - 1),
    maxHeaderSize: checkInteger('--max-header-size', options.maxHeaderSize ?? 65_536, 1024, 1_048_576),
    onRecord: options.onRecord ?? (() => undefined),
  };
}

function readTarget(text: string): URL {
  const target = URL.canParse(text) ? new URL(text) : null;
  const shown = JSON.stringify(text.slice(0, 200));
  if (target === null || target.hostname === '') {
    throw new TapOptionError(`--target ${shown}: not a URL; write http://HOST:PORT`);
  }
  if (target.protocol === 'https:') {
    throw new TapOptionError('--target: https is not supported; put the tap where the traffic is plain HTTP');
  }
  if (target.username !== '' || target.password !== '') {
    throw new TapOptionError('--target: credentials are not forwarded; write http://HOST:PORT');
  }
  if (target.protocol !== 'http:')
    throw new TapOptionError(`--target ${shown}: a tap forwards plain HTTP; write http://HOST:PORT`);
  if (target.pathname !== '/' || target.search !== '' || target.hash !== '') {
    throw new TapOptionError(
      `--target ${shown}: requests keep their own path; write http://HOST:PORT and nothing after it`,
    );
  }
  return target;
}

function checkInteger(option: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new TapOptionError(`${option} ${value}: write a whole number from ${min} to ${max}`);
}

const loopbackOrAny: ReadonlySet<string> = new Set([
  '127.0.0.1',
  'localhost',
  '0.0.0.0',
  '::',
  '::1',
  '[::1]',
  '[::]',
]);

function isSameHost(listening: string, target: string): boolean {
  return listening === target || (loopbackOrAny.has(listening) && loopbackOrAny.has(target));
}
