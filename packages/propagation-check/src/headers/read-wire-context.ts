import { decodePercent } from '../util/decode-percent.ts';
import type {
  BaggageEntry,
  HeaderField,
  PropagationFormat,
  TraceContextReading,
  WireContext,
} from './evidence.ts';
import { parseTraceparent, splitTraceparents } from './parse-traceparent.ts';
import { formats, headerValues, idHeaders, isPropagationHeader } from './propagation-header.ts';

/** Selects and parses the propagation headers of a request. Values of other headers are not kept. */
export function readWireContext(fields: readonly HeaderField[]): WireContext {
  const headers = fields.filter((field) => isPropagationHeader(field.name));
  return {
    headers,
    contexts: formats.flatMap((format) => readFormat(format, headers)),
    baggage: headerValues(headers, 'baggage').flatMap(parseBaggage),
  };
}

function readFormat(
  format: PropagationFormat,
  headers: readonly HeaderField[],
): readonly TraceContextReading[] {
  const raw = headerValues(headers, idHeaders[format]);
  const values = format === 'tracecontext' ? splitTraceparents(raw) : raw;
  const [value] = values;
  if (value === undefined) return [];
  if (values.length > 1) return [{ format, state: 'duplicated', count: values.length }];
  return [readers[format](value, headers)];
}

type Reader = (value: string, headers: readonly HeaderField[]) => TraceContextReading;

const readers: Readonly<Record<PropagationFormat, Reader>> = {
  tracecontext: (value) => {
    const read = parseTraceparent(value);
    if (read.state === 'malformed') return { format: 'tracecontext', ...read };
    const { traceId, spanId, sampled } = read;
    return { format: 'tracecontext', state: 'valid', traceId, spanId, sampled };
  },
  b3: readB3,
  b3multi: readB3Multi,
  jaeger: readJaeger,
  xray: readXray,
  'grpc-trace-bin': readGrpcTraceBin,
  datadog: readDatadog,
  sentry: readSentry,
  gcp: readCloudTrace,
  elastic: (value) => {
    const read = parseTraceparent(value);
    return read.state === 'malformed'
      ? { format: 'elastic', state: 'malformed', reason: 'invalid' }
      : readIds('elastic', read.traceId, read.spanId, read.sampled);
  },
  skywalking: () => withoutIds('skywalking'),
  newrelic: () => withoutIds('newrelic'),
  'request-id': () => withoutIds('request-id'),
};

/** Source: b3-propagation, "Single Header": `{trace}-{span}-{sampling}-{parent}`, or the sampling decision alone. */
function readB3(value: string): TraceContextReading {
  if (/^[01d]$/.test(value)) {
    return { format: 'b3', state: 'valid', traceId: null, spanId: null, sampled: value !== '0' };
  }
  const match = /^([0-9a-f]{16}|[0-9a-f]{32})-([0-9a-f]{16})(?:-([01d])(?:-[0-9a-f]{16})?)?$/i.exec(value);
  if (match === null) return { format: 'b3', state: 'malformed', reason: 'invalid' };
  const [, traceId = '', spanId = '', decision] = match;
  return readIds('b3', traceId, spanId, decision === undefined ? null : decision !== '0');
}

/** Source: b3-propagation, "Multiple Headers". */
function readB3Multi(traceId: string, headers: readonly HeaderField[]): TraceContextReading {
  const spanIds = headerValues(headers, 'x-b3-spanid');
  const [spanId = ''] = spanIds;
  if (spanIds.length > 1) return { format: 'b3multi', state: 'duplicated', count: spanIds.length };
  if (!/^(?:[0-9a-f]{16}|[0-9a-f]{32})$/i.test(traceId) || !/^[0-9a-f]{16}$/i.test(spanId)) {
    return { format: 'b3multi', state: 'malformed', reason: 'invalid' };
  }
  const [decision] = headerValues(headers, 'x-b3-sampled');
  const debug = headerValues(headers, 'x-b3-flags').includes('1');
  const sampled = debug || (decision === undefined ? null : /^(?:1|true)$/i.test(decision));
  return readIds('b3multi', traceId, spanId, sampled);
}

/** Source: Jaeger client libraries, "Propagation format": `{trace}:{span}:{parent}:{flags}`, leading zeros optional, maybe URL-encoded. */
function readJaeger(value: string): TraceContextReading {
  const match = /^([0-9a-f]{1,32}):([0-9a-f]{1,16}):[0-9a-f]{1,16}:([0-9a-f]{1,2})$/i.exec(
    value.replace(/%3a/gi, ':'),
  );
  if (match === null) return { format: 'jaeger', state: 'malformed', reason: 'invalid' };
  const [, traceId = '', spanId = '', flags = ''] = match;
  const padded = traceId.padStart(traceId.length > 16 ? 32 : 16, '0');
  return readIds('jaeger', padded, spanId.padStart(16, '0'), (Number.parseInt(flags, 16) & 1) === 1);
}

/** Source: AWS X-Ray, "Tracing header": `Root=1-{8 hex}-{24 hex};Parent={16 hex};Sampled=0|1`; a load balancer sends only the root. */
function readXray(value: string): TraceContextReading {
  const parts = new Map(
    value.split(';').map((part) => {
      const [key = '', ...rest] = part.trim().split('=');
      return [key, rest.join('=')];
    }),
  );
  const root = /^1-([0-9a-f]{8})-([0-9a-f]{24})$/i.exec(parts.get('Root') ?? '');
  const parent = parts.get('Parent');
  if (root === null || (parent !== undefined && !/^[0-9a-f]{16}$/i.test(parent))) {
    return { format: 'xray', state: 'malformed', reason: 'invalid' };
  }
  const decision = parts.get('Sampled');
  const sampled = decision === '1' || (decision === '0' ? false : null);
  return readIds('xray', `${root[1]}${root[2]}`, parent ?? null, sampled);
}

/** Source: OpenCensus `BinaryEncoding.md`: version 0, then fields 0 (trace id), 1 (span id), 2 (options), 29 bytes in all. */
function readGrpcTraceBin(value: string): TraceContextReading {
  const bytes = decodeGrpcTraceBin(value);
  if (bytes === null) return { format: 'grpc-trace-bin', state: 'malformed', reason: 'invalid' };
  return readIds(
    'grpc-trace-bin',
    bytes.toString('hex', 2, 18),
    bytes.toString('hex', 19, 27),
    ((bytes[28] ?? 0) & 1) === 1,
  );
}

/** The 29 bytes of a complete OpenCensus context; null if the value is not one. */
export function decodeGrpcTraceBin(value: string): Buffer | null {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(value)) return null;
  const bytes = Buffer.from(value, 'base64');
  const whole = bytes.length === 29 && bytes[0] === 0 && bytes[1] === 0 && bytes[18] === 1 && bytes[27] === 2;
  return whole ? bytes : null;
}

/** Source: Datadog tracing libraries, "Trace Context Propagation": decimal 64-bit ids; `_dd.p.tid` holds the upper half of the trace id. */
function readDatadog(value: string, headers: readonly HeaderField[]): TraceContextReading {
  const [parent = ''] = headerValues(headers, 'x-datadog-parent-id');
  const [traceId, spanId] = [toHex(value), toHex(parent)];
  if (traceId === null || spanId === null)
    return { format: 'datadog', state: 'malformed', reason: 'invalid' };
  const upper = /(?:^|,)_dd\.p\.tid=([0-9a-f]{16})(?:,|$)/.exec(
    headerValues(headers, 'x-datadog-tags').join(','),
  )?.[1];
  const [priority] = headerValues(headers, 'x-datadog-sampling-priority');
  return readIds(
    'datadog',
    `${upper ?? ''}${traceId}`,
    spanId,
    priority === undefined ? null : Number(priority) > 0,
  );
}

/** Source: Sentry, "Trace Propagation", `sentry-trace`: `{trace}-{span}-{sampled}`, the decision optional. */
function readSentry(value: string): TraceContextReading {
  const match = /^\s*([0-9a-f]{32})-([0-9a-f]{16})(?:-([01]))?\s*$/i.exec(value);
  if (match === null) return { format: 'sentry', state: 'malformed', reason: 'invalid' };
  const [, traceId = '', spanId = '', decision] = match;
  return readIds('sentry', traceId, spanId, decision === undefined ? null : decision === '1');
}

/** Source: Google Cloud Trace, "Trace context": `{trace}/{decimal span};o={options}`; span and options are optional. */
function readCloudTrace(value: string): TraceContextReading {
  const match = /^([0-9a-f]{32})(?:\/(\d{1,20}))?(?:;o=(\d+))?$/i.exec(value);
  if (match === null) return { format: 'gcp', state: 'malformed', reason: 'invalid' };
  const [, traceId = '', span, options] = match;
  const sampled = options === undefined ? null : (Number(options) & 1) === 1;
  return readIds('gcp', traceId, span === undefined ? null : toHex(span), sampled);
}

/** A decimal 64-bit id as 16 hex digits; null for any other text. */
function toHex(decimal: string): string | null {
  if (!/^\d{1,20}$/.test(decimal)) return null;
  const hex = BigInt(decimal).toString(16).padStart(16, '0');
  return hex.length === 16 ? hex : null;
}

/** Formats whose header is recognised but whose value is not parsed. */
function withoutIds(format: PropagationFormat): TraceContextReading {
  return { format, state: 'valid', traceId: null, spanId: null, sampled: null };
}

/** All-zero ids are invalid in every format. */
function readIds(
  format: PropagationFormat,
  traceId: string,
  spanId: string | null,
  sampled: boolean | null,
): TraceContextReading {
  if (/^0+$/.test(traceId) || (spanId !== null && /^0+$/.test(spanId))) {
    return { format, state: 'malformed', reason: 'invalid' };
  }
  return {
    format,
    state: 'valid',
    traceId: traceId.toLowerCase(),
    spanId: spanId?.toLowerCase() ?? null,
    sampled,
  };
}

/** Source: W3C Baggage, section 3.2.1. Ignores list members without `=` or without a key, and properties. */
function parseBaggage(value: string): readonly BaggageEntry[] {
  return value.split(',').flatMap((member) => {
    const [pair = ''] = member.split(';');
    const at = pair.indexOf('=');
    const key = pair.slice(0, Math.max(at, 0)).trim();
    return key === '' ? [] : [{ key, value: decodePercent(pair.slice(at + 1).trim()) }];
  });
}
