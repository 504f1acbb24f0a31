/** What a person expects of a system. Without expectations, every edge in the capture is checked on its own. */
export interface Expectation {
  readonly edges: readonly ExpectedEdge[];
  /** Baggage entries that must arrive. */
  readonly baggage: Readonly<Record<string, string>>;
  /** Baggage entries that were sent: they must arrive wherever headers were seen. */
  readonly sentBaggage?: Readonly<Record<string, string>>;
  /** Names or addresses of peers that are left uninstrumented on purpose. */
  readonly toleratedPeers: readonly string[];
  /** Services that name their SERVER span in every answer: an answer without it was given without a span. */
  readonly traceresponse: readonly string[];
}

/** An edge by its service names, and whether calls must, may or must not exist. */
export interface ExpectedEdge {
  readonly client: string;
  readonly server: string;
  readonly rule: 'must' | 'may' | 'must-not';
}

/** Every edge in the capture is checked on its own. */
export const noExpectation: Expectation = { edges: [], baggage: {}, toleratedPeers: [], traceresponse: [] };

/**
 * The edges of a path: `a -> b -> c` requires the edges a -> b and b -> c.
 * @throws {TypeError} if the path has fewer than two services, because it would have no edge.
 */
export function expectPath(services: readonly string[]): readonly ExpectedEdge[] {
  const isPath = Array.isArray(services) && services.length >= fewestServices && services.every(isName);
  if (!isPath) {
    throw new TypeError(
      `${JSON.stringify(services)} is no path; expected two services or more, such as ["web", "orders"]`,
    );
  }
  return services.slice(1).map((server, index) => ({ client: services[index] ?? '', server, rule: 'must' }));
}

const fewestServices = 2;

function isName(service: unknown): boolean {
  return typeof service === 'string' && service.trim() !== '';
}

/** Whether the expectations allow an edge without requiring it. */
export function isOptional(expectation: Expectation, client: string | null, server: string | null): boolean {
  return expectation.edges.some(
    (edge) => edge.rule === 'may' && edge.client === client && edge.server === server,
  );
}

export function isExpected(expectation: Expectation, client: string | null, server: string | null): boolean {
  return expectation.edges.some(
    (edge) => edge.rule === 'must' && edge.client === client && edge.server === server,
  );
}
