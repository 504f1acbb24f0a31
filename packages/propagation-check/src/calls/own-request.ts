import { findPassedOn } from '../graph/find-passed-on.ts';
import type { TraceGraph } from '../graph/trace-graph.ts';
import { ownParentId } from '../span/own-request.ts';
import { AttributeIndex } from '../span/row-attributes.ts';
import { findShapes } from '../span/span-store.ts';
import { remember } from '../util/remember.ts';

const header = 'http.request.header.traceparent';
/** One value, as text or as a list. A second value shows that a service copied the header into a call of its own. */
const onlyOwn = new RegExp(`^\\W*\\w+-\\w+-${ownParentId}-\\w+\\W*$`);

/**
 * Whether a root is the request that the report tells users to send: it recorded the header and ignored it. It is none if a service passed
 * the header on.
 */
export function prepareIsOwnRequest(graph: TraceGraph): (row: number) => boolean {
  const records = prepareRecordsOwnRequest(graph);
  const passedOn = remember(() => findPassedOn(graph, (row) => graph.hasOwnParent(row) || records(row)));
  return (row) => records(row) && !passedOn().has(row);
}

/** Whether a row recorded only that header. */
function prepareRecordsOwnRequest({ store }: TraceGraph): (row: number) => boolean {
  const shapes = findShapes(store, header);
  if (shapes.size === 0) return () => false;
  const headerOf = new AttributeIndex(store).finderOf(header);
  return (row) => {
    if (!shapes.has(store.shapes[row] ?? 0)) return false;
    const value = headerOf(row);
    return value !== null && onlyOwn.test(String(store.values.decode(value)));
  };
}
