/** Removes options that are `undefined`, so that they do not replace defaults when spread over them. */
export function omitUndefined<T extends object>(options: T): T {
  const given = { ...options };
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) Reflect.deleteProperty(given, key);
  }
  return given;
}
