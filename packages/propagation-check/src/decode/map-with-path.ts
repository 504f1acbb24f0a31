import { prefixPath } from './decode-error.ts';

/** Reads each element of a list, and puts the list's name and the element's index in front of an error's path. */
export function mapWithPath<T>(
  list: readonly unknown[],
  field: string,
  read: (value: unknown) => T,
): readonly T[] {
  return list.map((value, index) => {
    try {
      return read(value);
    } catch (error) {
      throw prefixPath(`${field}[${index}]`, error);
    }
  });
}
