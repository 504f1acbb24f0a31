import { DecodeError } from './decode-error.ts';
import { mapWithPath } from './map-with-path.ts';
import { isObject } from './otlp-json-value.ts';

/**
 * Refuses a span of Zipkin v1, a list that holds one, and a list of such lists (a search's answer). Version 1 has the same ids under the
 * same names, but kind and service only in annotations: read as version 2, each call would look like work inside one unnamed service.
 *
 * Source: Zipkin API, `zipkin-api.yaml`. Only in version 1 annotations have an endpoint, and spans have binary annotations.
 * @throws {DecodeError} with the path of the field that identifies version 1.
 */
export function refuseZipkinV1(document: unknown): void {
  forEachWithPath(document, (trace) => forEachWithPath(trace, refuseSpanOfV1));
}

/** Calls `refuse` with each element of a list, or with the value itself. */
function forEachWithPath(value: unknown, refuse: (element: unknown) => void): void {
  if (Array.isArray(value)) mapWithPath(value, '', refuse);
  else refuse(value);
}

function refuseSpanOfV1(span: unknown): void {
  const field = findFieldOfV1(span);
  if (field === null) return;
  throw new DecodeError(
    `${field}: this is Zipkin v1 JSON, and only v2 can be read; take the traces from Zipkin's API v2, ` +
      '/api/v2/traces?serviceName=… or /api/v2/trace/TRACE_ID',
  );
}

function findFieldOfV1(span: unknown): string | null {
  if (!isObject(span)) return null;
  // The names in Zipkin's Thrift definition.
  if (Object.hasOwn(span, 'trace_id') && Object.hasOwn(span, 'binary_annotations'))
    return 'binary_annotations';
  if (!Object.hasOwn(span, 'traceId')) return null;
  if (Object.hasOwn(span, 'binaryAnnotations')) return 'binaryAnnotations';
  const { annotations } = span;
  const hasEndpoint =
    Array.isArray(annotations) && annotations.some((each) => isObject(each) && isObject(each.endpoint));
  return hasEndpoint ? 'annotations' : null;
}
