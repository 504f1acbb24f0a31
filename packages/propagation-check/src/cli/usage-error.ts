/** Bad input that the user can mend. The message is one line: what is wrong, where, what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
