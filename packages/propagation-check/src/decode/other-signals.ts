import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { resourceSpansTag } from './detect-piece-format.ts';
import { isFramed } from './frames.ts';

/** A signal of OTLP other than traces. */
export type OtherSignal = 'metrics' | 'logs' | 'profiles';

/** The first field of a document names its signal. */
const fieldsOfJson: readonly (readonly [field: string, signal: OtherSignal])[] = [
  ['"resourceMetrics"', 'metrics'],
  ['"resourceLogs"', 'logs'],
  ['"resourceProfiles"', 'profiles'],
];

const headBytes = 64 * 1024;

/** Lists the signals in OTLP data without spans, as far as its first 64 KiB show. */
export function listOtherSignals(bytes: Uint8Array): readonly OtherSignal[] {
  const head = bytes.subarray(0, headBytes);
  const text = Buffer.from(head).toString('latin1');
  const inJson = fieldsOfJson.flatMap(([field, signal]) => (text.includes(field) ? [signal] : []));
  if (inJson.length > 0) return inJson;
  const isRequest = head[0] === resourceSpansTag;
  const [first] = isRequest || isFramed(head) ? readItems(head.subarray(isRequest ? 0 : frameStart)) : [];
  const signal = first === undefined ? null : nameSignal(first);
  return signal === null ? [] : [signal];
}

const frameStart = 4;

/**
 * Finds the signal of an export request in protobuf that is not one of traces; null for traces, for damaged bytes and for an empty
 * request.
 * The messages of all signals have the same nesting and field numbers, so only their items differ.
 */
export function findOtherSignal(request: Uint8Array): OtherSignal | null {
  const items = [...readItems(request)];
  const [signal = null, ...others] = new Set(items.map(nameSignal));
  return others.length === 0 && items.every(({ isWhole }) => isWhole) ? signal : null;
}

/** A span, metric or log record. */
interface Item {
  readonly types: ReadonlyMap<number, WireType>;
  readonly isWhole: boolean;
  /** Field 1 in Latin-1, where it is text or bytes. */
  readonly name: string;
}

/** The field numbers on the way to the items: a request has a list of resources, each a list of scopes, each a list of items. */
const pathOfItems = [1, 2, 2] as const;

function* readItems(request: Uint8Array): Generator<Item> {
  const [resources, scopes, items] = pathOfItems;
  for (const resource of readMessages(request, resources))
    for (const scope of readMessages(resource, scopes))
      for (const item of readMessages(scope, items)) yield readItem(item);
}

/** Yields the messages in one field, up to the first damaged or missing byte. */
function* readMessages(bytes: Uint8Array, field: number): Generator<Uint8Array> {
  const reader = new BinaryReader(bytes);
  try {
    while (reader.pos < reader.len) {
      const [number, type] = reader.tag();
      if (number !== field || type !== WireType.LengthDelimited) {
        reader.skip(type, number);
        continue;
      }
      const length = reader.uint32();
      yield bytes.subarray(reader.pos, reader.pos + length);
      reader.pos += length;
    }
  } catch {
    // Nothing after a fault can be read.
  }
}

function readItem(bytes: Uint8Array): Item {
  const reader = new BinaryReader(bytes);
  const types = new Map<number, WireType>();
  let name = '';
  try {
    while (reader.pos < reader.len) {
      const [number, type] = reader.tag();
      types.set(number, type);
      if (number === 1 && type === WireType.LengthDelimited)
        name = Buffer.from(reader.bytes()).toString('latin1');
      else reader.skip(type, number);
    }
    return { types, name, isWhole: reader.pos === reader.len };
  } catch {
    return { types, name, isWhole: false };
  }
}

/** Source: opentelemetry-proto, `metrics/v1/metrics.proto` and `logs/v1/logs.proto`. A span has a trace id of 16 bytes in field 1, and times in 7 and 8. */
function nameSignal({ types, name }: Item): OtherSignal | null {
  // `time_unix_nano` or `observed_time_unix_nano` of a log record.
  if (types.get(1) === WireType.Bit64 || types.get(11) === WireType.Bit64) return 'logs';
  const hasTimes = types.get(7) === WireType.Bit64 || types.get(8) === WireType.Bit64;
  const hasPoints = [5, 7, 9, 10, 11].some((number) => types.get(number) === WireType.LengthDelimited);
  return /^[\x21-\x7e]+$/.test(name) && hasPoints && !hasTimes ? 'metrics' : null;
}
