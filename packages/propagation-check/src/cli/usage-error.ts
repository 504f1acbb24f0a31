/** Bad input that the user can correct. The message is one line: what is wrong, where, what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A report could not be written or printed. The other reports are complete. */
export class ReportError extends UsageError {}
