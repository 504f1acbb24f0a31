import assert from 'node:assert/strict';
import { DecodeError } from '../../src/decode/decode-error.ts';
import type { Span } from '../../src/span/span.ts';

/** Returns a decoder's spans, or the message of its error. */
export async function outcomeOf(
  decode: () => readonly Span[] | Promise<readonly Span[]>,
): Promise<readonly Span[] | string> {
  try {
    return await decode();
  } catch (error) {
    assert.ok(error instanceof DecodeError, String(error instanceof Error ? error.stack : error));
    return error.message;
  }
}
