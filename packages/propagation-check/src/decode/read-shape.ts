import * as z from 'zod';
import { DecodeError } from './decode-error.ts';

/** An array whose elements are not checked here but one by one, so that a hostile document cannot cause millions of issues. */
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
  throw new DecodeError(`${path}: ${issue === undefined ? 'not valid' : describe(issue)}`);
}

/** zod reports a union only as invalid. The types that were expected and received are in the issues of its members. */
function describe(issue: z.core.$ZodIssue): string {
  const messages = issue.code === 'invalid_union' ? issue.errors.flat().map(({ message }) => message) : [];
  const expected = messages.flatMap((message) => /expected (\w+)/.exec(message)?.[1] ?? []);
  const [, received] = /received (.*)/.exec(messages[0] ?? '') ?? [];
  if (received === undefined) return issue.message.replace(/^Invalid input: /, '');
  return `expected ${expected.join(' or ')}, received ${received}`;
}
