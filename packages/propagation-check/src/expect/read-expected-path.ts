import { quoteValue } from '../decode/quote-value.ts';
import { type ExpectedEdge, expectPath } from './expectation.ts';

/** The text is not an expectation. The message begins with the place: `3:5: unknown key "must-nt"; …`. */
export class ExpectationError extends Error {
  override readonly name = 'ExpectationError';
}

/**
 * Reads the path of an `--expect` argument: `a -> b -> c`, or with the arrows of reports, `a → b`.
 * @throws {ExpectationError} when it does not name two services.
 */
export function readExpectedPath(text: string): readonly ExpectedEdge[] {
  const services = text.split(/->|→/).map((name) => name.trim());
  if (services.length < 2 || services.includes('')) {
    throw new ExpectationError(
      `${quoteValue(text)}: expected services with arrows between them: "service-a -> service-b"`,
    );
  }
  return expectPath(services);
}
