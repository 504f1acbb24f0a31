/** The expectations of a person of a system. Without any, every edge in the data is checked for itself. */
export interface Expectation {
  readonly edges: readonly ExpectedEdge[];
  /** Baggage entries that must arrive. */
  readonly baggage: Readonly<Record<string, string>>;
  /** Baggage entries that were sent: they must arrive wherever somebody looked. */
  readonly sentBaggage?: Readonly<Record<string, string>>;
  /** Names or addresses of peers that are not instrumented, on purpose. */
  readonly toleratedPeers: readonly string[];
  /** Services that name their SERVER span in every answer, so that an answer without it was given without a span. */
  readonly traceresponse: readonly string[];
}

/** An edge, by the names of its services, and whether it must, may or must not be there. */
export interface ExpectedEdge {
  readonly client: string;
  readonly server: string;
  readonly rule: 'must' | 'may' | 'must-not';
}

/** Every edge in the data is checked for itself. */
export const noExpectation: Expectation = { edges: [], baggage: {}, toleratedPeers: [], traceresponse: [] };

/**
 * `a -> b -> c` means: the edges a -> b and b -> c must exist.
 * @throws {TypeError} when it does not name two services: no edge would be expected.
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

/** A path has two services or more. */
const fewestServices = 2;

function isName(service: unknown): boolean {
  return typeof service === 'string' && service.trim() !== '';
}

/** Whether an expectation says that calls of an edge may be missing. */
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
