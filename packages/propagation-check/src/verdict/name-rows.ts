import { withoutIds } from '../calls/endpoint.ts';
import { readPath, readRoute } from '../calls/http-facts.ts';
import type { Scene } from '../rules/scene.ts';
import { keyFor } from '../util/group-by.ts';

/** The endpoint of a request, by that request alone. */
export function nameRows({ facts }: Scene): (row: number) => string {
  const nameRoute = facts.remember((call) => readRoute(call) ?? withoutIds(readPath(call) ?? ''));
  return (row) => keyFor(facts.nameOf(row), nameRoute(row));
}
