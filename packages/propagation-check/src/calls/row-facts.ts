import { AttributeIndex } from '../span/row-attributes.ts';
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
import {
  absent,
  type IdSource,
  ownField,
  type Recorder,
  type RowSource,
  rememberFacts,
} from './remember-facts.ts';

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
export class RowFacts implements IdSource {
  readonly #store: SpanStore;
  readonly #row: RowReader;
  /** Bits of `families` of the names of each shape. */
  readonly #families: Uint8Array;
  /** One more than the index in `protocols`, and 0 where nobody asked. */
  readonly #protocols: Uint8Array;
  readonly #outcomeOf: (row: number) => Outcome;

  constructor(store: SpanStore) {
    this.#store = store;
    this.#row = new RowReader(store);
    this.#protocols = new Uint8Array(store.size);
    this.#outcomeOf = this.remember((call) => decideOutcome(call, call.protocol));
    this.#families = readFamilies(store);
  }

  protocolOf(row: number): CallFacts['protocol'] {
    const known = this.#protocols[row] ?? 0;
    if (known !== 0) return protocols[known - 1] ?? 'unknown';
    const found = this.#families[this.#store.shapes[row] ?? 0] ?? 0;
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
    return this.#outcomeOf(row);
  }

  /** See `rememberFacts`. */
  remember<T>(read: (row: RowSource) => T): (row: number) => T {
    return rememberFacts(this, read);
  }

  sourceOf(row: number, record: Recorder = () => {}): RowSource {
    const source = this.#row.at(row);
    const told = <T>(field: number, value: T): T => {
      record(field, this.idOf(row, field));
      return value;
    };
    const toldKey = (key: string): string => {
      const id = this.#row.index.keyOf(key);
      record(id, id === null ? absent : this.idOf(row, id));
      return key;
    };
    const protocol = this.protocolOf(row);
    return {
      get protocol() {
        return told(ownField.protocol, protocol);
      },
      get kind() {
        return told(ownField.kind, source.kind);
      },
      get name() {
        return told(ownField.name, source.name);
      },
      get status() {
        return told(ownField.status, source.status);
      },
      attributes: {
        get: (key) => source.attributes.get(toldKey(key)),
        has: (key) => source.attributes.has(toldKey(key)),
      },
    };
  }

  idOf(row: number, field: number): number {
    if (field >= 0) return this.#row.index.findKey(row, field) ?? absent;
    const { kinds, statuses, names } = this.#store;
    switch (field) {
      case ownField.kind:
        return kinds[row] ?? 0;
      case ownField.status:
        return statuses[row] ?? 0;
      case ownField.name:
        return names[row] ?? 0;
      case ownField.protocol:
        return protocols.indexOf(this.protocolOf(row));
      default:
        return absent;
    }
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

function readFamilies({ values, shapeTable: { starts, keys } }: SpanStore): Uint8Array {
  const bitsOf = new Map([...families].map(([key, bits]) => [values.find(key), bits]));
  const found = new Uint8Array(starts.length);
  for (let shape = 0; shape + 1 < starts.length; shape += 1) {
    for (let at = starts[shape] ?? 0; at < (starts[shape + 1] ?? 0); at += 1)
      found[shape] = (found[shape] ?? 0) | (bitsOf.get(keys[at] ?? null) ?? 0);
  }
  return found;
}

/** One row at a time, so that many are read without an object each. */
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
}
