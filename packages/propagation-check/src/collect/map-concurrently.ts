/** Maps in order of the items, with at most `limit` calls of `map` under way. The first rejection rejects. */
export async function mapConcurrently<Item, Mapped>(
  items: readonly Item[],
  limit: number,
  map: (item: Item) => Promise<Mapped>,
): Promise<readonly Mapped[]> {
  const mapped: Mapped[] = [];
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) mapped[index] = await map(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return mapped;
}
