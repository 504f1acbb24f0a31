/** Bad input that the user can mend. The message is one line: what is wrong, where, what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A report could not be written or printed, after the others were: they hold the result. */
export class ReportError extends UsageError {}
