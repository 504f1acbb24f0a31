import { DecodeError } from './decode-error.ts';
import { isObject } from './otlp-json-value.ts';

type Document = Readonly<Record<string, unknown>>;

/** An envelope around spans, and the command that removes it. */
interface Wrapped {
  readonly path: string;
  readonly as: string;
  readonly filter: string;
  readonly decode?: string;
}

/** The depth to which fields are searched: queue messages have their body two fields deep. */
const deepest = 3;

/** The number of keys of an object that are searched: an object of traces by id has many similar keys. */
const mostFields = 30;

const lists = ['resourceSpans', 'resource_spans', 'scopeSpans', 'batches'];

/** Fields of envelopes that the decoders read; they are not searched. */
const known = new Set([...lists, 'result', 'trace', 'spans']);

/** The beginnings of texts with spans: OTLP JSON; one span with its resource, which may be long; OTLP JSON in base64; gzip in base64. */
const texts: readonly (readonly [RegExp, Omit<Wrapped, 'path'>])[] = [
  [
    /^\s*[[{][\s\S]{0,300}?"(?:resourceSpans|resource_spans|scopeSpans|batches)"/,
    { as: ', as text', filter: '-r' },
  ],
  [
    /^\s*\{(?=[\s\S]{0,20000}?"spanId")[\s\S]{0,20000}?"startTimeUnixNano"/,
    { as: ', as text', filter: '-r' },
  ],
  [
    /^(?:eyJyZXNvdXJjZVNwYW5z|eyAicmVzb3VyY2VTcGFuc|ewog)/,
    { as: ', in base64', filter: '-r', decode: 'base64 -d' },
  ],
  [/^H4sI/, { as: ', in base64 and gzip', filter: '-r', decode: 'base64 -d | gunzip' }],
];

/**
 * Refuses a document that holds spans in one of its fields: a record of a queue or a log, or of a program that stores received requests.
 * @param place The document's jq path in its file.
 * @throws {DecodeError} with the path of the field, and the command that extracts the spans.
 */
export function refuseWrappedSpans(document: Document, place: string): void {
  const wrapped = findWrapped(document, '', 0);
  if (wrapped === null) return;
  const { path, as, filter, decode } = wrapped;
  const piped = decode === undefined ? '' : ` | ${decode}`;
  throw new DecodeError(
    `${path.replace(/^\./, '')}: the spans are within this field${as}; take them out (jq ${filter} '${place}${path.replace(/\[0\]/g, '[]')}'${piped})`,
  );
}

function findWrapped(value: unknown, path: string, depth: number): Wrapped | null {
  if (typeof value === 'string') {
    const [, text] = texts.find(([begins]) => begins.test(value)) ?? [];
    return text === undefined ? null : { path, ...text };
  }
  if (depth > deepest) return null;
  if (Array.isArray(value)) return findWrapped(value[0], `${path}[0]`, depth + 1);
  if (!isObject(value)) return null;
  if (isEnvelope(value)) return depth === 0 ? null : { path, as: '', filter: '-c' };
  for (const [key, field] of Object.entries(value).slice(0, mostFields)) {
    if (known.has(key)) continue;
    const found = findWrapped(field, `${path}${nameField(key)}`, depth + 1);
    if (found !== null) return found;
  }
  return null;
}

/** Whether a value is OTLP, or an answer of Jaeger or Tempo that holds traces in a field. */
function isEnvelope(value: Document): boolean {
  const [first]: readonly unknown[] = Array.isArray(value.data) ? value.data : [];
  return (
    [value, value.result, value.trace].some(hasList) ||
    [value, first].some((trace) => isObject(trace) && Array.isArray(trace.spans) && isObject(trace.processes))
  );
}

function hasList(value: unknown): boolean {
  return isObject(value) && lists.some((field) => Array.isArray(value[field]));
}

/** The jq path of a key. Keys are untrusted: one that is not a plain name becomes `.[]`. */
function nameField(key: string): string {
  return /^[A-Za-z_]\w{0,59}$/.test(key) ? `.${key}` : '.[]';
}
