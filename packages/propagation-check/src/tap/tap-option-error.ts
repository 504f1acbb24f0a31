/** An option of the tap is invalid. The message is one line: which option, what is wrong, what to write instead. */
export class TapOptionError extends Error {
  override readonly name = 'TapOptionError';
}
