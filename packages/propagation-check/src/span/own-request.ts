/**
 * The parent id in the `traceparent` of the request that the report tells users to send. Not the example of W3C Trace Context: programs that
 * set a fixed header often have copied that one, and their requests do have a caller.
 */
export const ownParentId = '7e577e577e577e57';

export const ownTraceparent = `00-4bf92f3577b34da6a3ce929d0e0e4736-${ownParentId}-01`;

const [high, low] = [Number.parseInt(ownParentId.slice(0, 8), 16), Number.parseInt(ownParentId.slice(8), 16)];

/** Whether the parent of a row is that request. @param parentIds Two words for each row. */
export function hasOwnParent(parentIds: ArrayLike<number>, row: number): boolean {
  return parentIds[row * 2] === high && parentIds[row * 2 + 1] === low;
}
