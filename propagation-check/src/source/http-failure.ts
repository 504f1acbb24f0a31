const untrusted: ReadonlySet<string> = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
]);

/**
 * Says why no answer came, and what to do.
 * @param kind Of the source, for people: `Jaeger`.
 */
export function describeHttpFailure(kind: string, error: unknown): string {
  const code = findCode(error);
  if (code === 'ECONNREFUSED')
    return `connection refused; is ${kind} running there, and is this its query port?`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the host name is not known; is it spelled right?';
  if (code === 'ECONNRESET' || code === 'UND_ERR_SOCKET') {
    return `the connection was closed without an answer; is this ${kind}'s HTTP port, and is it http or https?`;
  }
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH' || code === 'ETIMEDOUT') {
    return 'the host cannot be reached from here';
  }
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return 'no connection in time; can the host be reached from here?';
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') {
    return 'this port does not speak TLS; use http:// instead of https://';
  }
  if (untrusted.has(code)) {
    return `the certificate is not trusted (${code}); pass the certificate authority's file with --ca`;
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'the certificate is for another host name';
  if (code === 'CERT_HAS_EXPIRED') return 'the certificate has expired';
  const isParserError = error instanceof Error && error.name === 'HTTPParserError';
  if (isParserError || code.startsWith('HPE_')) {
    return `the answer is not HTTP/1.1; is this ${kind}'s HTTP port and not a gRPC one?`;
  }
  if (code === 'UND_ERR_INVALID_ARG') return 'a header is not valid; check --header';
  return `no answer${code === '' ? '' : ` (${code})`}`;
}

/** Node wraps the cause of a failure, and an AggregateError holds one for each address it tried. */
function findCode(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  const inner = error instanceof AggregateError ? error.errors[0] : error.cause;
  return findCode(inner);
}
