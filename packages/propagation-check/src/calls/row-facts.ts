import { spanKinds, statusCodes } from '../span/span.ts';
import { attributeOf, type SpanStore, textOf } from '../span/span-store.ts';
import { emptyText, isRaw } from '../span/value-table.ts';
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

const protocols: readonly CallFacts['protocol'][] = ['http', 'rpc', 'messaging', 'database', 'unknown'];
const [client, producer] = [spanKinds.indexOf('CLIENT'), spanKinds.indexOf('PRODUCER')];

/** What rows of a span store say of calls, without a view. */
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

  /** See `isOutgoing` of spans. */
  isOutgoing(row: number): boolean {
    const kind = this.#store.kinds[row];
    if (kind === producer) return true;
    if (kind !== client) return false;
    const protocol = this.protocolOf(row);
    return protocol === 'http' || protocol === 'rpc';
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
  #row = 0;

  constructor(store: SpanStore) {
    this.#store = store;
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
    let id = this.#keys.get(key);
    if (id === undefined) {
      id = this.#store.values.find(key);
      this.#keys.set(key, id);
    }
    return id === null ? this.#findByText(key) : attributeOf(this.#store, this.#row, id);
  }

  /** Where a store has more names of attributes than it interns. */
  #findByText(key: string): number | null {
    const { attributeStarts, attributeKeys, attributeValues } = this.#store;
    const end = attributeStarts[this.#row + 1] ?? 0;
    for (let pair = attributeStarts[this.#row] ?? 0; pair < end; pair += 1) {
      const id = attributeKeys[pair] ?? 0;
      if (isRaw(id) && textOf(this.#store, id) === key) return attributeValues[pair] ?? null;
    }
    return null;
  }
}
