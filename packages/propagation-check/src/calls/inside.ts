/** Sources: RFC 1918, RFC 4193, RFC 6761, RFC 6762, RFC 8375, RFC 9476; names that Kubernetes and clouds use inside a network. */
const insideNames = /(^|\.)(localhost|local|internal|svc|lan|corp|home\.arpa|test)$|\.svc\./i;
const insideAddresses =
  /^(127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|::1$|\[::1\]$|\[?f[cd][0-9a-f]{2}:)/i;

/** Whether a host is on a private network. A name of one label is a name of Compose, of Kubernetes or of the local network. */
export function isInside(host: string): boolean {
  return !/[.:]/.test(host) || insideNames.test(host) || insideAddresses.test(host);
}

/** Whether a host is a name (not an address) outside private networks. */
export function isPublicName(host: string | null): boolean {
  return host !== null && isName(host) && !isInside(host);
}

/** Whether a host is the name (not an address) of another machine. Such a name often begins with the service name. */
export function isNameOfAnother(host: string): boolean {
  return isName(host) && !isLoopback(host);
}

function isName(host: string): boolean {
  return /^[^:]*[a-z][^:]*$/i.test(host);
}

/** Source: RFC 6761, section 6.3; RFC 6890. */
export function isLoopback(host: string): boolean {
  return /^(localhost$|127\.|\[?::1\]?$)/i.test(host);
}
