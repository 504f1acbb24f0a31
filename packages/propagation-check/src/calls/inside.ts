/** Source: RFC 1918, RFC 4193, RFC 6761, RFC 6762, RFC 8375, RFC 9476; names of Kubernetes and of clouds inside of a network. */
const insideNames = /(^|\.)(localhost|local|internal|svc|lan|corp|home\.arpa|test)$|\.svc\./i;
const insideAddresses =
  /^(127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|::1$|\[::1\]$|\[?f[cd][0-9a-f]{2}:)/i;

/** Whether a host is one of an own network. A name of one label is one of Compose, of Kubernetes, or of a host beside. */
export function isInside(host: string): boolean {
  return !/[.:]/.test(host) || insideNames.test(host) || insideAddresses.test(host);
}

/** Whether a host is a name, and no address, outside of an own network. */
export function isPublicName(host: string | null): boolean {
  return host !== null && isName(host) && !isInside(host);
}

/** Whether a host is the name of another machine, and no address: such names often begin with that of the service. */
export function isNameOfAnother(host: string): boolean {
  return isName(host) && !isLoopback(host);
}

function isName(host: string): boolean {
  return /^[^:]*[a-z][^:]*$/i.test(host);
}

/** Whether a host means the machine that calls it. Source: RFC 6761, section 6.3; RFC 6890. */
export function isLoopback(host: string): boolean {
  return /^(localhost$|127\.|\[?::1\]?$)/i.test(host);
}
