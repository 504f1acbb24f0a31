import { escapeText } from '../../report/escape-text.ts';
import { describeCallsJudged, describePast, nameEdge } from '../../report/terminal-edges.ts';
import { countOf } from '../../util/count-of.ts';
import { keyOf, type WatchedEdge } from './call-tracker.ts';
import { type Away, formatDuration, type WatchState } from './render-edges.ts';

/** The state of an edge when it was last reported. */
interface Reported {
  readonly calls: number;
  readonly broken: number;
  readonly lastBreak: number;
  readonly isHealed: boolean;
}

/** An edge without a break for this long is intact again. */
const healedMs = 60_000;
const longestEdge = 200;

/** Describes what has changed since the last call, in one line for each change: for outputs that are no terminal. */
export function createChangeDescriber(): (state: WatchState) => readonly string[] {
  const reported = new Map<string, Reported>();
  const notes = new Set<string>();
  let wasAway: Away | null = null;
  return ({ edges, now, away, notes: current }) => {
    const lines: string[] = [];
    if (away !== null && wasAway === null)
      lines.push(
        away.wasThere
          ? `! source away: ${escapeText(away.why)}; tried again until it is back`
          : `! source not there yet: ${escapeText(away.why)}; tried again until it is there`,
      );
    if (away === null && wasAway !== null)
      lines.push(
        `✓ source ${wasAway.wasThere ? 'back' : 'there'} after ${formatDuration(now - wasAway.since)}`,
      );
    wasAway = away;
    for (const note of current) if (!notes.has(note)) lines.push(`! ${escapeText(note)}`);
    for (const note of current) notes.add(note);
    for (const edge of edges) {
      const { calls, broken, newest } = edge;
      const before = reported.get(keyOf(edge));
      const name = nameEdge(edge, longestEdge);
      const isBroken = broken > (before?.broken ?? 0) || (before?.isHealed !== false && isMissing(edge));
      const isFirst = before === undefined || (before.calls === 0 && calls > 0 && before.isHealed);
      const healed =
        before !== undefined &&
        !before.isHealed &&
        !isBroken &&
        calls > before.calls &&
        now - before.lastBreak >= healedMs;
      if (isBroken) {
        const id = newest === null ? '' : `  ${newest.finding.id}`;
        const of =
          calls === 0
            ? 'never seen'
            : `${countOf(broken - (before?.broken ?? 0), 'call')} broken, ${broken} of ${calls} so far`;
        const trace = newest?.evidence == null ? '' : `  trace ${newest.evidence.traceId}`;
        lines.push(`✗ ${name}${id}  ${of}${trace}`);
      } else if (isFirst) lines.push(describeNewEdge(name, edge));
      else if (healed) lines.push(`✓ ${name}  intact again`);
      reported.set(keyOf(edge), {
        ...{ calls, broken },
        lastBreak: isBroken ? now : (before?.lastBreak ?? now),
        isHealed: isBroken ? false : healed || (before?.isHealed ?? true),
      });
    }
    const time = new Date(now).toISOString();
    return lines.map((line) => `${time} ${line}`);
  };
}

/** Whether the edge is expected and has no call, judged or not. */
function isMissing({ calls, newest }: WatchedEdge): boolean {
  return calls === 0 && newest?.finding.severity === 'error';
}

function describeNewEdge(
  name: string,
  { calls, unjudged = 0, doubtful = 0, newest, past }: WatchedEdge,
): string {
  const doubt = doubtful > 0 ? `, ${doubtful} doubtful` : '';
  const judged = unjudged > 0 ? describeCallsJudged({ calls, unjudged }) : countOf(calls, 'call');
  if (unjudged + doubtful > 0)
    return `! ${name}${newest === null ? '' : `  ${newest.finding.id}`}  ${judged}${doubt}`;
  if (calls === 0) return `! ${name}  never seen`;
  const seen = `${name}  seen, ${judged}`;
  return past === undefined ? `✓ ${seen}` : `~ ${seen}, ${describePast(past)}`;
}
