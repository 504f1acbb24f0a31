/** Neither query nor fragment nor the authority of an absolute form, which may hold a password. */
export function pathOf(requestTarget: string): string {
  const [beforeQuery = ''] = requestTarget.split(/[?#]/, 1);
  const absolute = /^[a-z][a-z0-9+.-]*:\/\/[^/]*(.*)$/i.exec(beforeQuery);
  return absolute === null ? beforeQuery : absolute[1] || '/';
}
