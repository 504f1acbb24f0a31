/** The first size of a table, which grows: most sinks see little traffic. */
const firstSlots = 1_024;
/** The limit of one generation. */
const mostIds = 1_000_000;
/** The share of slots that may be used, so that searches stay short. */
const mostUsed = 0.5;
const wordsPerSlot = 2;
/** The memory of an id in a full generation. There are two generations. */
export const bytesPerId = (wordsPerSlot * Uint32Array.BYTES_PER_ELEMENT) / mostUsed;

/**
 * Remembers the latest ids, as 64 bits each, in two generations. When the younger generation is full, the older one is forgotten. Clients choose
 * the ids, so the hash has a secret seed: nobody can choose ids that collide.
 */
export class IdMemory {
  readonly #mostIds: number;
  #young = new Uint32Array(firstSlots * wordsPerSlot);
  #old = new Uint32Array(0);
  #size = 0;

  /** @param most The limit of one generation; at most a million. */
  constructor(most: number) {
    this.#mostIds = Math.min(most, mostIds);
  }

  add(high: number, low: number): void {
    if (this.#size >= this.#mostIds) {
      this.#old = this.#young;
      this.#young = new Uint32Array(firstSlots * wordsPerSlot);
      this.#size = 0;
    }
    if (!insert(this.#young, high, low)) return;
    this.#size += 1;
    if (this.#size * wordsPerSlot < this.#young.length * mostUsed) return;
    const larger = new Uint32Array(this.#young.length * 2);
    for (let at = 0; at < this.#young.length; at += wordsPerSlot) {
      const [one = 0, other = 0] = [this.#young[at], this.#young[at + 1]];
      if (one !== 0 || other !== 0) insert(larger, one, other);
    }
    this.#young = larger;
  }

  has(high: number, low: number): boolean {
    return [this.#young, this.#old].some((slots) => {
      const at = slots.length === 0 ? -1 : findSlot(slots, high, low);
      return at >= 0 && (slots[at] !== 0 || slots[at + 1] !== 0);
    });
  }
}

/** @param id 16 or 32 hex digits; the last 16 count. */
export function readWords(id: string): readonly [number, number] {
  return [Number.parseInt(id.slice(-16, -8), 16), Number.parseInt(id.slice(-8), 16)];
}

/** @returns Whether the id is new. */
function insert(slots: Uint32Array, high: number, low: number): boolean {
  const at = findSlot(slots, high, low);
  if (slots[at] !== 0 || slots[at + 1] !== 0) return false;
  slots[at] = high;
  slots[at + 1] = low;
  return true;
}

const seed = Math.floor(Math.random() * 2 ** 32);

/** Source: murmur3, "fmix32". */
function hash(high: number, low: number): number {
  let mixed = Math.imul(low ^ seed, 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13) ^ high, 0xc2b2_ae35);
  return mixed ^ (mixed >>> 16);
}

/** The slot of the id, or the free slot for it. */
function findSlot(slots: Uint32Array, high: number, low: number): number {
  const mask = slots.length / wordsPerSlot - 1;
  for (let slot = hash(high, low) & mask; ; slot = (slot + 1) & mask) {
    const at = slot * wordsPerSlot;
    const [one, other] = [slots[at], slots[at + 1]];
    if ((one === 0 && other === 0) || (one === high && other === low)) return at;
  }
}
