/** Options to spread over defaults: one that is `undefined` is not given, and must not replace its default. */
export function omitUndefined<T extends object>(options: T): T {
  const given = { ...options };
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) Reflect.deleteProperty(given, key);
  }
  return given;
}
