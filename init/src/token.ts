/** The bearer token that the Collector requires from the services. */
import { randomBytes } from 'node:crypto';
import { ConfigError } from './config.ts';

/** Format of a token after `Bearer`. Source: RFC 6750, section 2.1, `b64token`. */
const b64token = /^[\w\-.~+/]+=*$/;
const minLength = 16;

/**
 * Returns the user's token if there is one, otherwise the stack's present token if it is valid, otherwise a random token.
 * @throws {ConfigError} for an invalid token of the user. The message does not contain the token.
 */
export function chooseToken(given: string, present: string | null): string {
  const token = given.trim();
  if (token === '')
    return present !== null && isToken(present) ? present : randomBytes(32).toString('base64url');
  if (token.length < minLength) {
    throw new ConfigError(
      `the token in OTLP_TOKEN_FILE has ${token.length} characters; one that cannot be guessed has ${minLength} or more`,
    );
  }
  if (!b64token.test(token)) {
    throw new ConfigError(
      'the token in OTLP_TOKEN_FILE is no bearer token; allowed: one line of letters, digits and - . _ ~ + / with = at its end',
    );
  }
  return token;
}

function isToken(text: string): boolean {
  return text.length >= minLength && b64token.test(text);
}
