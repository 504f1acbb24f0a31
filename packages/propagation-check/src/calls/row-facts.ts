import { AttributeIndex } from '../span/row-attributes.ts';
import { kindNumber, spanKinds, statusCodes } from '../span/span.ts';
import { type SpanStore, textOf } from '../span/span-store.ts';
import { emptyText } from '../span/value-id.ts';
import { readAddress } from './address.ts';
import { type CallFacts, readMcp } from './call-facts.ts';
import type { AttributeReader, FactSource } from './fact-source.ts';
import { readMethod, readPath, readRoute, readStatusCode, readUserAgent } from './http-facts.ts';
import { readDestination, readMessageId } from './messaging-facts.ts';
import { decideOutcome, type Outcome } from './outcome.ts';
import { families, type Protocol, protocolAttributes, readProtocol } from './protocol.ts';
import { noClass, RowClasses } from './row-classes.ts';
import { readRpcMethod } from './rpc-facts.ts';

/** What `RowFacts.remember` reads facts from. */
export interface RowSource extends FactSource {
  readonly protocol: Protocol;
}

export const protocols: readonly Protocol[] = ['http', 'rpc', 'messaging', 'mcp', 'database', 'unknown'];

/** Reads the facts of calls from rows of a span store; makes no views. */
export class RowFacts {
  readonly #store: SpanStore;
  readonly #row: RowReader;
  readonly #classes: RowClasses;
  /** By shape: bits of `families` of its attribute names. */
  readonly #families: Uint8Array;
  /** By class: the index in `protocols` plus one; 0 before the first read. */
  readonly #protocols: Uint8Array;
  readonly #pathIdOf: (row: number) => number | null;
  readonly #oldPathIdOf: (row: number) => number | null;
  readonly #outcomeOf: (row: number) => Outcome;
  readonly #userAgentOf: (row: number) => string | null;
  readonly #messageIdOf: (row: number) => string | null;
  readonly #addressOf: (row: number) => Pick<CallFacts, 'host' | 'port'>;
  readonly #mcpOf: (row: number) => CallFacts['mcp'];
  /** These facts have few values in any data, so they are nearly always equal in a class: one look-up finds all of them. */
  readonly #fewOf: (
    row: number,
  ) => Pick<CallFacts, 'method' | 'route' | 'rpcMethod' | 'destination' | 'statusCode'>;

  constructor(store: SpanStore) {
    this.#store = store;
    this.#row = new RowReader(store);
    this.#pathIdOf = this.#row.index.finderOf('url.path');
    this.#oldPathIdOf = this.#row.index.finderOf('http.target');
    this.#classes = new RowClasses(store, protocolAttributes);
    this.#protocols = new Uint8Array(this.#classes.count);
    this.#outcomeOf = this.remember((call) => decideOutcome(call, call.protocol));
    this.#userAgentOf = this.remember(readUserAgent);
    this.#messageIdOf = this.remember(readMessageId);
    this.#addressOf = this.remember(readAddress);
    this.#mcpOf = this.remember((call) => (call.protocol === 'mcp' ? readMcp(call) : null));
    this.#fewOf = this.remember((call) => ({
      method: readMethod(call),
      route: readRoute(call),
      rpcMethod: readRpcMethod(call),
      destination: readDestination(call),
      statusCode: readStatusCode(call),
    }));
    this.#families = readFamilies(store);
  }

  protocolOf(row: number): Protocol {
    const ofClass = this.#classes.of[row] ?? noClass;
    const known = this.#protocols[ofClass] ?? 0;
    if (known !== 0) return protocols[known - 1] ?? 'unknown';
    const found = this.#families[this.#store.shapes[row] ?? 0] ?? 0;
    const protocol = readProtocol(this.#row.at(row), found);
    if (ofClass !== noClass) this.#protocols[ofClass] = protocols.indexOf(protocol) + 1;
    return protocol;
  }

  /** Whether some span may have an attribute of a family. */
  hasFamily(bit: number): boolean {
    return this.#families.some((found) => (found & bit) !== 0);
  }

  /** Reads single facts of a row; valid until the next row is read. */
  at(row: number): FactSource {
    return this.#row.at(row);
  }

  /** As `isOutgoing` of spans. */
  isOutgoing(row: number): boolean {
    const kind = this.#store.kinds[row];
    if (kind === kindNumber.producer) return true;
    if (kind !== kindNumber.client) return false;
    const protocol = this.protocolOf(row);
    return protocol === 'http' || protocol === 'rpc' || protocol === 'mcp';
  }

  outcomeOf(row: number): Outcome {
    return this.#outcomeOf(row);
  }

  /**
   * Computes a fact once for all rows of a class, where it depends only on what the rows share.
   * @param read Must depend on its argument alone.
   */
  remember<T>(read: (row: RowSource) => T): (row: number) => T {
    const known: ({ readonly result: T } | undefined)[] = [];
    /** By class: whether the fact depends on values that the rows do not share. */
    const isBeyond = new Uint8Array(this.#classes.count);
    isBeyond[noClass] = 1;
    const work = (row: number, ofClass: number): T => {
      const noteBeyond = (): void => {
        isBeyond[ofClass] = 1;
      };
      const result = read(this.#sourceOf(row, noteBeyond));
      if (isBeyond[ofClass] === 0) known[ofClass] = { result };
      return result;
    };
    // A separate function, because V8 allocates the variables that an inner function captures at each call.
    return (row) => {
      const ofClass = this.#classes.of[row] ?? noClass;
      const found = known[ofClass];
      return found === undefined ? work(row, ofClass) : found.result;
    };
  }

  /** @param noteBeyond Called when a field is read in which rows of the class may differ. */
  #sourceOf(row: number, noteBeyond: () => void): RowSource {
    const source = this.#row.at(row);
    const noted = (key: string): string => {
      const id = this.#row.index.keyOf(key);
      if (id === null || !this.#classes.has(row, id)) noteBeyond();
      return key;
    };
    const { hasNames } = this.#classes;
    return {
      protocol: this.protocolOf(row),
      kind: source.kind,
      get name() {
        if (!hasNames) noteBeyond();
        return source.name;
      },
      status: source.status,
      attributes: {
        get: (key) => source.attributes.get(noted(key)),
        has: (key) => source.attributes.has(noted(key)),
      },
    };
  }

  /**
   * Whether `isSo` may hold for some row. Looks at one row of each class, so that rules that concern no span are skipped fast.
   * @param isSo Must depend on its argument alone.
   */
  maySome(isSo: (row: RowSource) => boolean): boolean {
    if (!this.#classes.isComplete) return true;
    return this.#classes.firstRows.some((row) => {
      let isBeyond = false;
      const source = this.#sourceOf(row, () => {
        isBeyond = true;
      });
      return isSo(source) || isBeyond;
    });
  }

  userAgentOf(row: number): string | null {
    return this.#userAgentOf(row);
  }

  nameOf(row: number): string {
    return this.#row.at(row).name;
  }

  scopeOf(row: number): string {
    return textOf(this.#store, this.#store.scopes[row] ?? emptyText);
  }

  pathOf(row: number): string | null {
    return readPath(this.#row.at(row));
  }

  /** The id of the value that `pathOf` reads; null where the path comes from a URL. */
  targetIdOf(row: number): number | null {
    return this.#pathIdOf(row) ?? this.#oldPathIdOf(row);
  }

  /** Whether a value is certainly a path with another end. Decodes nothing. */
  hasOtherEnd(targetId: number, end: string): boolean {
    return this.#store.values.hasOtherEnd(targetId, end);
  }

  methodOf(row: number): string | null {
    return this.#fewOf(row).method;
  }

  rpcMethodOf(row: number): string | null {
    return this.#fewOf(row).rpcMethod;
  }

  statusCodeOf(row: number): number | null {
    return this.#fewOf(row).statusCode;
  }

  portOf(row: number): number | null {
    return this.#addressOf(row).port;
  }

  /** As `readFacts`. All facts but the path are nearly always equal in a class. */
  factsOf(row: number): CallFacts {
    const { method, route, rpcMethod, destination, statusCode } = this.#fewOf(row);
    const { host, port } = this.#addressOf(row);
    return {
      protocol: this.protocolOf(row),
      method,
      path: this.pathOf(row),
      route,
      host,
      port,
      rpcMethod,
      destination,
      messageId: this.#messageIdOf(row),
      statusCode,
      userAgent: this.#userAgentOf(row),
      mcp: this.#mcpOf(row),
    };
  }
}

function readFamilies({ values, shapeTable: { starts, keys } }: SpanStore): Uint8Array {
  const bitsOf = new Map([...families].map(([key, bits]) => [values.find(key), bits]));
  const found = new Uint8Array(starts.length);
  for (let shape = 0; shape + 1 < starts.length; shape += 1) {
    for (let at = starts[shape] ?? 0; at < (starts[shape + 1] ?? 0); at += 1)
      found[shape] = (found[shape] ?? 0) | (bitsOf.get(keys[at] ?? null) ?? 0);
  }
  return found;
}

/** A cursor over rows: many rows are read without an object for each. */
class RowReader implements FactSource {
  readonly attributes: AttributeReader;
  readonly index: AttributeIndex;
  readonly #store: SpanStore;
  #row = 0;

  constructor(store: SpanStore) {
    this.#store = store;
    const index = new AttributeIndex(store);
    this.index = index;
    this.attributes = {
      get: (name) => {
        const value = index.find(this.#row, name);
        return value === null ? undefined : store.values.decode(value);
      },
      has: (name) => index.find(this.#row, name) !== null,
    };
  }

  /** Moves to the row and returns itself. */
  at(row: number): this {
    this.#row = row;
    return this;
  }

  get kind(): FactSource['kind'] {
    return spanKinds[this.#store.kinds[this.#row] ?? 0] ?? 'UNSPECIFIED';
  }

  get name(): string {
    return textOf(this.#store, this.#store.names[this.#row] ?? 0);
  }

  get status(): FactSource['status'] {
    return { code: statusCodes[this.#store.statuses[this.#row] ?? 0] ?? 'UNSET' };
  }
}
