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

/** How deep fields are searched: messages of queues have their body two fields deep. */
const deepest = 3;

/** How many keys of an object are searched: an object of traces by their ids has many alike. */
const mostFields = 30;

const lists = ['resourceSpans', 'resource_spans', 'scopeSpans', 'batches'];

/** The envelopes that are read. */
const known = new Set([...lists, 'result', 'trace', 'spans']);

/** How texts with spans begin. The second is one span with its resource, which may be long. The fourth is base64 of a brace and the field, the fifth base64 of gzip. */
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
 * Refuses a document whose spans are within a field of it: the record of a queue, of a log, or of a program that kept the requests that
 * it received.
 * @param place Where the document is in its file, for jq.
 * @throws {DecodeError} with the path of the field, and the command that takes the spans out.
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

/** OTLP, and answers of Jaeger and Tempo, which have it in a field of theirs. */
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

/** Quotes a key that jq takes as it is. Other keys come from outside, and are left out. */
function nameField(key: string): string {
  return /^[A-Za-z_]\w{0,59}$/.test(key) ? `.${key}` : '.[]';
}
