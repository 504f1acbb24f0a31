import type { UnreportedEnd } from '../rules/explain-loose-ends.ts';
import { countOf } from '../util/count-of.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import { escapeText } from './escape-text.ts';
import { hang, type Layout, paint, truncate } from './layout.ts';
import { labelService } from './terminal-edges.ts';
import { longestText } from './terminal-findings.ts';

const mostKinds = 20;

/** Loose ends for which nothing is reported, and why (`--explain`). Ends that differ only in ids are listed once. */
export function renderUnreported(ends: readonly UnreportedEnd[], layout: Layout): readonly string[] {
  if (ends.length === 0)
    return hang('', 'Nothing is left unreported of calls without their other side.', layout);
  const kinds = groupBy(ends, ({ service, kind, name, reasons, unjudged }) => {
    const reported = reasons.flatMap(({ finding, gate, values }) => [finding, gate, values]);
    return keyFor(service, kind, name, unjudged ?? '', ...reported);
  });
  const more = kinds.length - mostKinds;
  return [
    ...hang('', 'Not reported, because a condition does not hold:', layout),
    ...kinds.slice(0, mostKinds).flatMap((alike) => renderKind(alike, layout)),
    ...(more > 0 ? [`… and ${countOf(more, 'more kind')}`] : []),
  ];
}

function renderKind(alike: readonly UnreportedEnd[], layout: Layout): readonly string[] {
  const [first] = alike;
  if (first === undefined) return [];
  const { service, kind, name, reasons, unjudged, traceId, spanId } = first;
  const title = `${kind} "${escapeText(name)}" of ${labelService(service)}, ${countOf(alike.length, 'time')}`;
  const ids = `${alike.length > 1 ? 'for instance ' : ''}trace ${escapeText(traceId)} span ${escapeText(spanId)}`;
  return [
    ...hang('· ', truncate(title, longestText), layout),
    ...hang('  ', ids, layout).map((line) => paint(layout, 'dim', line)),
    ...(reasons.length === 0 && unjudged === undefined ? ['  no rule speaks of such a span'] : []),
    ...(unjudged === undefined
      ? []
      : hang('  - ', truncate(`not judged: ${escapeText(unjudged)}`, longestText), layout)),
    ...reasons.flatMap(({ finding, gate, values }) =>
      hang('  - ', truncate(`${finding} needs: ${gate}; here: ${escapeText(values)}`, longestText), layout),
    ),
  ];
}
