/** Whether a path fits a route template such as `/orders/{id}`, `/orders/:id`, `/orders/<int:id>` or `/files/*`. */
export function fitsRoute(path: string, route: string): boolean {
  let start = skipSlashes(path, 0);
  for (let at = skipSlashes(route, 0); at < route.length; ) {
    const end = findSlash(route, at);
    const part = route.slice(at, end);
    if (part.includes('*')) return true;
    if (start === path.length) return false;
    const next = findSlash(path, start);
    const isSame = next - start === part.length && path.startsWith(part, start);
    if (!isSame && !/[{:<$]/.test(part)) return false;
    start = skipSlashes(path, next);
    at = skipSlashes(route, end);
  }
  return start === path.length;
}

function skipSlashes(path: string, start: number): number {
  let at = start;
  while (path[at] === '/') at += 1;
  return at;
}

/** The next slash, or the end. */
function findSlash(path: string, start: number): number {
  const slash = path.indexOf('/', start);
  return slash < 0 ? path.length : slash;
}
