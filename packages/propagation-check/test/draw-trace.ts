import type { Attributes, Span, SpanKind } from '../src/span/span.ts';

const kinds: readonly SpanKind[] = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];

const row =
  /^(?<indent> *)(?<kind>[A-Z]+) (?<service>\S+) (?<name>.+?) {2,}(?<id>[0-9a-f]+)(?: <- (?<parent>[0-9a-f]+))? +(?<start>-?\d+)\.\.(?<end>-?\d+)(?<attributes>(?: \S+=\S+)*)$/;

/**
 * Reads a drawing of traces: the drawing is the data. Two spaces of indent make a child, `trace 7a` begins a trace, ids are
 * filled up to their length by repeating, times are milliseconds.
 *
 *     trace a
 *     SERVER service-a GET /call-b   a1  0..30
 *       CLIENT service-a GET         a2  5..25 url.full=http://b/work
 *
 * `<- id` names a parent that the indent does not show; `-` is a missing service name.
 */
export function drawTrace(drawing: string): readonly Span[] {
  const lines = drawing.split('\n').filter((line) => line.trim() !== '');
  const margin = Math.min(...lines.map((line) => line.search(/\S/)));
  const spans: Span[] = [];
  const ancestors: string[] = [];
  let trace = traceId('a');
  for (const line of lines.map((text) => text.slice(margin).trimEnd())) {
    const [, started] = /^trace ([0-9a-f]+)$/.exec(line) ?? [];
    if (started !== undefined) {
      trace = traceId(started);
      continue;
    }
    const groups = row.exec(line)?.groups;
    const kind = kinds.find((known) => known === groups?.kind);
    if (groups === undefined || kind === undefined) throw new Error(`cannot read the row "${line}"`);
    const depth = (groups.indent ?? '').length / 2;
    const id = spanId(groups.id ?? '');
    const parent = depth === 0 ? null : (ancestors[depth - 1] ?? null);
    ancestors.length = depth;
    ancestors.push(id);
    spans.push({
      traceId: trace,
      spanId: id,
      parentSpanId: groups.parent === undefined ? parent : spanId(groups.parent),
      traceState: '',
      flags: null,
      name: groups.name ?? '',
      kind,
      startTimeUnixNano: toNanoseconds(groups.start),
      endTimeUnixNano: toNanoseconds(groups.end),
      attributes: readAttributes(groups.attributes ?? ''),
      links: [],
      status: { code: 'UNSET', message: '' },
      serviceName: groups.service === '-' ? null : (groups.service ?? null),
      resource: new Map(groups.service === '-' ? [] : [['service.name', groups.service ?? '']]),
      scopeName: '',
    });
  }
  return spans;
}

/** A call from service-a to service-b that is split into the traces a and b, and a healthy request, trace c. */
export function drawSplitCall(): readonly Span[] {
  return drawTrace(`
    trace a
    SERVER service-a GET /call-b      a1   0..40 http.request.method=GET url.path=/call-b
      CLIENT service-a GET            a3   8..28 http.request.method=GET url.full=http://service-b/work
    trace b
    SERVER service-b GET /work        b1  19..27 http.request.method=GET url.path=/work
    trace c
    SERVER service-a GET /healthy     c1   50..60
  `);
}

export function traceId(short: string): string {
  return short.repeat(32).slice(0, 32);
}

export function spanId(short: string): string {
  return short.repeat(16).slice(0, 16);
}

function toNanoseconds(milliseconds: string | undefined): bigint {
  return 1_700_000_000_000_000_000n + BigInt(milliseconds ?? '0') * 1_000_000n;
}

function readAttributes(text: string): Attributes {
  const pairs = text
    .trim()
    .split(' ')
    .filter((pair) => pair !== '');
  return new Map(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
