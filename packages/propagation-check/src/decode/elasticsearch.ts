import type { Span } from '../span/span.ts';
import { DecodeError, prefixPath } from './decode-error.ts';
import { decodeJaegerSpan } from './jaeger-json.ts';
import { mapWithPath } from './map-with-path.ts';
import { isObject } from './otlp-json-value.ts';
import { quoteValue } from './quote-value.ts';
import { refuseOtherTool } from './refuse-other-tool.ts';
import { decodeSpanDocument, isSpanDocument } from './span-documents.ts';

type Document = Readonly<Record<string, unknown>>;

/** Whether an object is the answer to a search or to several (`_msearch`), or a single hit, which dumps consist of. */
export function isElasticsearch(document: Document): boolean {
  return isObject(document.hits) || isObject(document._source) || Array.isArray(document.responses);
}

/**
 * Decodes spans stored in Elasticsearch or OpenSearch, from the answer to a search or from a single hit. The documents are Jaeger's
 * (index `jaeger-span-*`), or of a store that `decodeSpanDocument` reads.
 *
 * Source: Jaeger, `internal/storage/elasticsearch/dbmodel`.
 * @throws {DecodeError} with the path of the wrong value; also when the answer holds only a part of the hits (10, unless `size` says
 *   otherwise), because missing spans would look like a service's fault.
 */
export function decodeElasticsearch(document: Document): readonly Span[] {
  if (Array.isArray(document.responses))
    return mapWithPath(document.responses, 'responses', decodeAnswer).flat();
  return isObject(document.hits) ? decodeAnswer(document) : decodeHit(document, '._source');
}

function decodeAnswer(document: unknown): readonly Span[] {
  if (!isObject(document) || !isObject(document.hits)) throw new DecodeError('hits: expected an object');
  const { hits, total } = document.hits;
  if (!Array.isArray(hits)) throw new DecodeError('hits.hits: expected an array');
  const found = isObject(total) ? total.value : total;
  if (typeof found === 'number' && found > hits.length) {
    throw new DecodeError(
      `hits.total: the search found ${found} documents and answered ${hits.length}; ask with "size": 10000, or dump the index`,
    );
  }
  if (document.timed_out === true || hasFailed(document._shards)) {
    throw new DecodeError(
      'hits: Elasticsearch answered only a part, because a shard failed or the search timed out',
    );
  }
  return mapWithPath(hits, 'hits.hits', (hit) => decodeHit(hit, '.hits.hits[]._source')).flat();
}

function hasFailed(shards: unknown): boolean {
  return isObject(shards) && typeof shards.failed === 'number' && shards.failed > 0;
}

/** @param place The jq path of `_source`. */
function decodeHit(hit: unknown, place: string): readonly Span[] {
  const source = isObject(hit) ? hit._source : undefined;
  if (source === undefined) {
    throw new DecodeError(
      '_source: missing; ask for whole documents (without "_source": false, "fields" or "stored_fields")',
    );
  }
  if (!isObject(source)) throw new DecodeError(`_source: expected an object, received ${quoteValue(source)}`);
  try {
    if (isSpanDocument(source)) return [decodeSpanDocument(source)];
    return decodeStoredJaeger(source, place);
  } catch (error) {
    throw prefixPath('_source', error);
  }
}

function decodeStoredJaeger(source: Document, place: string): readonly Span[] {
  // A document of Jaeger's index of services and operations, which is part of a dump of all its indices.
  if (Object.hasOwn(source, 'operationName') && !Object.hasOwn(source, 'spanID')) return [];
  if (!Object.hasOwn(source, 'traceID')) {
    refuseOtherTool(source, place);
    const keys = Object.keys(source).slice(0, 5).map(quoteValue).join(', ');
    throw new DecodeError(
      `: expected a span (index jaeger-span-*, traces-*.otel-* or otel-v1-apm-span-*), found ${keys}; export other documents from where ` +
        'they came from, as OTLP (the file exporter of an OpenTelemetry Collector)',
    );
  }
  return [decodeJaegerSpan(source)];
}
