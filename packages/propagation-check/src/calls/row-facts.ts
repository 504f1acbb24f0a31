import { keptAttributes } from '../span/kept-attributes.ts';
import { spanKinds, statusCodes } from '../span/span.ts';
import { type SpanStore, textOf } from '../span/span-store.ts';
import { emptyText } from '../span/value-table.ts';
import {
  type AttributeReader,
  type CallFacts,
  decideOutcome,
  type FactSource,
  families,
  type Outcome,
  readFacts,
  readProtocol,
  readUserAgent,
} from './call-facts.ts';

const protocols: readonly CallFacts['protocol'][] = [
  'http',
  'rpc',
  'messaging',
  'mcp',
  'database',
  'unknown',
];
const [client, producer] = [spanKinds.indexOf('CLIENT'), spanKinds.indexOf('PRODUCER')];

/** Reads facts of calls from the rows of a span store, without views. */
export class RowFacts {
  readonly #store: SpanStore;
  readonly #row: RowSource;
  /** Bits of `families` by the id of the attribute's name. */
  readonly #families: Uint8Array;
  /** One more than the index in `protocols`, and 0 where nobody asked. */
  readonly #protocols: Uint8Array;

  constructor(store: SpanStore) {
    this.#store = store;
    this.#row = new RowSource(store);
    this.#protocols = new Uint8Array(store.size);
    const ids = [...families].flatMap(([key, bits]) => {
      const id = store.values.find(key);
      return id === null ? [] : [[id, bits] as const];
    });
    this.#families = new Uint8Array(Math.max(0, ...ids.map(([id]) => id)) + 1);
    for (const [id, bits] of ids) this.#families[id] = bits;
  }

  protocolOf(row: number): CallFacts['protocol'] {
    const known = this.#protocols[row] ?? 0;
    if (known !== 0) return protocols[known - 1] ?? 'unknown';
    const { attributeStarts, attributeKeys } = this.#store;
    const end = attributeStarts[row + 1] ?? 0;
    let found = 0;
    for (let pair = attributeStarts[row] ?? 0; pair < end; pair += 1) {
      found |= this.#families[attributeKeys[pair] ?? 0] ?? 0;
    }
    const protocol = readProtocol(this.#row.at(row), found);
    this.#protocols[row] = protocols.indexOf(protocol) + 1;
    return protocol;
  }

  /** To read single facts of a row, before the next row is read. */
  at(row: number): FactSource {
    return this.#row.at(row);
  }

  /** See `isOutgoing` of spans. */
  isOutgoing(row: number): boolean {
    const kind = this.#store.kinds[row];
    if (kind === producer) return true;
    if (kind !== client) return false;
    const protocol = this.protocolOf(row);
    return protocol === 'http' || protocol === 'rpc' || protocol === 'mcp';
  }

  outcomeOf(row: number): Outcome {
    return decideOutcome(this.#row.at(row), this.protocolOf(row));
  }

  userAgentOf(row: number): string | null {
    return readUserAgent(this.#row.at(row));
  }

  nameOf(row: number): string {
    return this.#row.at(row).name;
  }

  scopeOf(row: number): string {
    return textOf(this.#store, this.#store.scopes[row] ?? emptyText);
  }

  factsOf(row: number): CallFacts {
    return readFacts(this.#row.at(row), this.protocolOf(row));
  }
}

/** One row at a time, so that many are read without an object each. */
class RowSource implements FactSource {
  readonly attributes: AttributeReader;
  readonly #store: SpanStore;
  readonly #keys = new Map<string, number | null>();
  /** By the ids of names of attributes: the row that was read last, plus one, and its value. */
  readonly #rows: Uint32Array;
  readonly #values: Uint32Array;
  #row = 0;
  #isRead = false;

  constructor(store: SpanStore) {
    this.#store = store;
    for (const key of keptAttributes) this.#keys.set(key, store.values.find(key));
    const most = Math.max(0, ...[...this.#keys.values()].map((id) => id ?? 0));
    this.#rows = new Uint32Array(most + 1);
    this.#values = new Uint32Array(most + 1);
    const find = (key: string): number | null => this.#findValue(key);
    this.attributes = {
      get: (key) => {
        const value = find(key);
        return value === null ? undefined : store.values.decode(value);
      },
      has: (key) => find(key) !== null,
    };
  }

  /** Itself, from now on for this row. */
  at(row: number): this {
    if (row !== this.#row) this.#isRead = false;
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

  #findValue(key: string): number | null {
    const id = this.#keys.get(key) ?? null;
    // Of the families of names that are kept, a store may have more than it interns.
    if (id === null) return this.#findByText(key);
    if (!this.#isRead) this.#read();
    return this.#rows[id] === this.#row + 1 ? (this.#values[id] ?? null) : null;
  }

  #read(): void {
    const { attributeStarts, attributeKeys, attributeValues } = this.#store;
    const end = attributeStarts[this.#row + 1] ?? 0;
    for (let pair = attributeStarts[this.#row] ?? 0; pair < end; pair += 1) {
      const key = attributeKeys[pair] ?? 0;
      if (key >= this.#rows.length) continue;
      this.#rows[key] = this.#row + 1;
      this.#values[key] = attributeValues[pair] ?? 0;
    }
    this.#isRead = true;
  }

  #findByText(key: string): number | null {
    const { attributeStarts, attributeKeys, attributeValues } = this.#store;
    const end = attributeStarts[this.#row + 1] ?? 0;
    for (let pair = attributeStarts[this.#row] ?? 0; pair < end; pair += 1) {
      if (textOf(this.#store, attributeKeys[pair] ?? 0) === key) return attributeValues[pair] ?? null;
    }
    return null;
  }
}
