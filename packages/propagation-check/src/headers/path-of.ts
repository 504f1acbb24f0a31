/** Removes the query, the fragment and, from an absolute form, the authority, which may contain a password. */
export function pathOf(requestTarget: string): string {
  const [beforeQuery = ''] = requestTarget.split(/[?#]/, 1);
  const absolute = /^[a-z][a-z0-9+.-]*:\/\/[^/]*(.*)$/i.exec(beforeQuery);
  return absolute === null ? beforeQuery : absolute[1] || '/';
}
