import type { TraceGraph } from '../graph/trace-graph.ts';
import { ownParentId } from '../span/own-request.ts';
import { AttributeIndex } from '../span/row-attributes.ts';
import { findShapes } from '../span/span-store.ts';

const header = 'http.request.header.traceparent';
/** One value, as text or as a list. A second value shows that a service copied the header into a call of its own. */
const onlyOwn = new RegExp(`^\\W*\\w+-\\w+-${ownParentId}-\\w+\\W*$`);

/** Whether a row recorded only the `traceparent` that the report tells users to send. A root that did ignored the header. */
export function prepareRecordsOwnRequest({ store }: TraceGraph): (row: number) => boolean {
  const shapes = findShapes(store, header);
  if (shapes.size === 0) return () => false;
  const headerOf = new AttributeIndex(store).finderOf(header);
  return (row) => {
    if (!shapes.has(store.shapes[row] ?? 0)) return false;
    const value = headerOf(row);
    return value !== null && onlyOwn.test(String(store.values.decode(value)));
  };
}
