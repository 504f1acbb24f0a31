import { isOfMicrometer, readStatusCode } from '../calls/http-facts.ts';
import { mayBeOfOneProcess, mayBeOfOneSdk } from '../span/instance.ts';
import type { Span } from '../span/span.ts';

/** Two layers have two scopes. A caller may repeat its request within one scope, and spans without a scope do not show their layer. */
export function areOfTwoLayers({ scopeName }: Span, other: Span): boolean {
  return scopeName !== '' && other.scopeName !== '' && scopeName !== other.scopeName;
}

/** Whether two layers of one process and one tracer may have made both spans for the same request, by their status codes and resources. */
export function mayBeOfOneRequest(outer: Span, inner: Span): boolean {
  return mayHaveOneStatus(outer, inner) && mayBeOfOneProcess(outer, inner) && mayBeOfOneTracer(outer, inner);
}

function mayHaveOneStatus(outer: Span, inner: Span): boolean {
  const [one, other] = [readStatusCode(outer), readStatusCode(inner)];
  return one === null || other === null || one === other;
}

/** Two tracers side by side make two traces, and both are whole. Each SDK names itself; Micrometer records attributes of its own. */
function mayBeOfOneTracer(outer: Span, inner: Span): boolean {
  return mayBeOfOneSdk(outer, inner) && isOfMicrometer(outer) === isOfMicrometer(inner);
}
