/**
 * Chooses the services to search if there are too many: those with a likely name, those with a similar one, then the others in their order.
 * Host names often contain the name of a service, or the reverse.
 */
export function chooseLikely(
  services: readonly string[],
  likely: readonly string[],
  most: number,
): readonly string[] {
  const names = likely.map((name) => name.toLowerCase());
  const rankOf = (service: string): number => {
    const own = service.toLowerCase();
    if (names.includes(own)) return 0;
    return names.some((name) => own.includes(name) || name.includes(own)) ? 1 : 2;
  };
  return services.toSorted((one, other) => rankOf(one) - rankOf(other)).slice(0, most);
}
