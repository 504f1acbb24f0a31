const untrusted: ReadonlySet<string> = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
]);

const wrongLength = 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH';
const describeWrongLength =
  'the answer is longer or shorter than its content-length; is there a proxy in between?';

/** The server of a request, as messages name it. */
export interface Peer {
  /** `Jaeger`, `the Collector` */
  readonly name: string;
  /** The expected port: `its query port`. */
  readonly port: string;
  /** The option that sets the headers of the request. */
  readonly headerOption: '--header' | '--request-header';
}

/** Describes why no answer came, and what to do. */
export function describeHttpFailure({ name, port, headerOption }: Peer, error: unknown): string {
  const code = findCode(error);
  if (code === 'ECONNREFUSED') return `connection refused; is ${name} running there, and is this ${port}?`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the host name is not known; is it spelled right?';
  if (code === 'ECONNRESET' || code === 'UND_ERR_SOCKET') {
    return `the connection was closed without an answer; is this ${name}'s HTTP port, and is it http or https?`;
  }
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH' || code === 'ETIMEDOUT') {
    return 'the host cannot be reached from here';
  }
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return 'no connection in time; can the host be reached from here?';
  if (isPlainHttp(code, error)) {
    return 'this port does not speak TLS; use http:// instead of https://';
  }
  if (untrusted.has(code)) {
    return `the certificate is not trusted (${code}); pass the certificate authority's file with --ca`;
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return 'the certificate is for another host name; use a name that is in it';
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return `the certificate is not valid now (${code}); renew it, or set this machine's clock`;
  }
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return `the answer's headers are larger than 16 KiB; is this ${name}'s address?`;
  }
  if (code === wrongLength) return describeWrongLength;
  const isParserError = error instanceof Error && error.name === 'HTTPParserError';
  if (isParserError || code.startsWith('HPE_')) {
    return `the answer is not HTTP/1.1; is this ${name}'s HTTP port and not a gRPC one?`;
  }
  if (code === 'UND_ERR_INVALID_ARG') return `a header is not valid; check ${headerOption}`;
  return `no answer${code === '' ? '' : ` (${code})`}`;
}

/** Whether OpenSSL found no TLS in the answer. A handshake that fails during a write has no code of its own. */
function isPlainHttp(code: string, error: unknown): boolean {
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') return true;
  return (
    code === 'EPROTO' &&
    error instanceof Error &&
    /wrong version number|packet length too long/.test(error.message)
  );
}

/** As `describeHttpFailure`, for an answer that ends before its body is complete. */
export function describeBrokenAnswer(error: unknown): string {
  const code = findCode(error);
  if (code === wrongLength) return describeWrongLength;
  return `the answer broke off${code === '' ? '' : ` (${code})`}; try again, and look into the log of what answers there`;
}

/** Node wraps the cause of a failure; an AggregateError holds one error for each address that was tried. */
function findCode(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  const inner = error instanceof AggregateError ? error.errors[0] : error.cause;
  return findCode(inner);
}
