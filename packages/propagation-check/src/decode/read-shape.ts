import * as z from 'zod';
import { DecodeError } from './decode-error.ts';

/** An array whose elements are read one by one, so that a hostile document cannot raise millions of issues. */
export const anyArray = z.custom<readonly unknown[]>(Array.isArray, 'expected an array');

/**
 * Checks one object of a document. Unknown fields are ignored.
 * @throws {DecodeError} with the path of the first field that does not fit.
 */
export function readShape<T>(shape: z.ZodType<T>, value: unknown): T {
  const result = shape.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = (issue?.path ?? []).join('.');
  throw new DecodeError(`${path}: ${(issue?.message ?? 'not valid').replace(/^Invalid input: /, '')}`);
}
