/** A value that is not allowed. The message is one sentence that says which are. */
export class BoundaryError extends Error {
  override readonly name = 'BoundaryError';
}
