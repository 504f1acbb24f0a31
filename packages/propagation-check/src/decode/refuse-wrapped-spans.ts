import { DecodeError } from './decode-error.ts';
import { isObject } from './otlp-json-value.ts';

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

/** The envelopes that are read. */
const known = new Set([
  'resourceSpans',
  'resource_spans',
  'scopeSpans',
  'batches',
  'result',
  'trace',
  'spans',
]);

/** How texts with spans begin. The third is base64 of a brace and the field, the fourth base64 of gzip. */
const texts: readonly (readonly [RegExp, Omit<Wrapped, 'path'>])[] = [
  [
    /^\s*[[{][\s\S]{0,300}?"(?:resourceSpans|resource_spans|scopeSpans|batches)"/,
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
 * @throws {DecodeError} with the path of the field, and the command that takes the spans out.
 */
export function refuseWrappedSpans(document: Readonly<Record<string, unknown>>): void {
  const wrapped = findWrapped(document, '', 0);
  if (wrapped === null) return;
  const { path, as, filter, decode } = wrapped;
  const piped = decode === undefined ? '' : ` | ${decode}`;
  throw new DecodeError(
    `${path.replace(/^\./, '')}: the spans are within this field${as}; take them out (jq ${filter} '${path.replace(/\[0\]/g, '[]')}'${piped})`,
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
  if (depth > 0 && isEnvelope(value)) return { path, as: '', filter: '-c' };
  for (const [key, field] of Object.entries(value).slice(0, mostFields)) {
    if (known.has(key)) continue;
    const found = findWrapped(field, `${path}${nameField(key)}`, depth + 1);
    if (found !== null) return found;
  }
  return null;
}

function isEnvelope(value: Readonly<Record<string, unknown>>): boolean {
  return ['resourceSpans', 'resource_spans', 'scopeSpans', 'batches'].some((field) =>
    Array.isArray(value[field]),
  );
}

/** Quotes a key that jq takes as it is. Other keys come from outside, and are left out. */
function nameField(key: string): string {
  return /^[A-Za-z_]\w{0,59}$/.test(key) ? `.${key}` : '.[]';
}
