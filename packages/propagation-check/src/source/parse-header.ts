import { SourceError } from './source.ts';

/**
 * Parses a header field on the command line: `Name: value`.
 * @param option The option it was given with, for messages.
 * @returns The name in lower case, and the value.
 * @throws {SourceError} whose message never contains the value, which may be a secret.
 */
export function parseHeader(option: string, argument: string): readonly [string, string] {
  const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/.exec(argument);
  const [, name, value] = match ?? [];
  if (name === undefined || value === undefined) {
    throw new SourceError(`${option}: expected "Name: value", for instance "Authorization: Bearer …"`);
  }
  return [name.toLowerCase(), value.trim()];
}
