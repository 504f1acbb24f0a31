import type { Waiting } from '../collect/collect-traces.ts';
import { describeAwaited } from '../collect/find-awaited.ts';
import { escapeText } from '../report/escape-text.ts';
import { countOf } from '../util/count-of.ts';

/** `jaeger=http://…: waiting for the called side of GET orders:8082/work of web, 1 of 3 traces (at most 27 s; Ctrl-C ends it)`. */
export function describeWaiting(source: string, { awaited, open, all, leftMs }: Waiting): string {
  const [first, ...more] = awaited;
  // All traces are whole: the called services may have called others that have not exported yet.
  const what = describeAwaited(first ?? { kind: 'unknown-services' });
  const others = more.length === 0 ? '' : ` and ${more.length} more`;
  const traces = `${open} of ${countOf(all, 'trace')}`;
  return escapeText(
    `${source}: waiting for ${what}${others}, ${traces} (at most ${Math.ceil(leftMs / 1_000)} s; Ctrl-C ends it)`,
  );
}
