import { type Baseline, findOtherCause, type KnownFinding, listFixed } from '../verdict/apply-baseline.ts';
import type { Result } from '../verdict/result.ts';

const mostNamed = 10;

/**
 * Names the baseline entries that are no longer needed, because their finding is repaired or has another cause now.
 *
 * @param name The name of the baseline.
 */
export function describeFixed(result: Result, baseline: Baseline, name: string): readonly string[] {
  const others = listFixed(result, baseline).map((entry) => ({
    entry,
    finding: findOtherCause(result, entry),
  }));
  const fixed = others.flatMap(({ entry, finding }) => (finding === null ? [nameEntry(entry)] : []));
  const changed = others.flatMap(({ entry, finding }) =>
    finding === null
      ? []
      : [
          `${nameEntry(entry)} (${entry.cause ?? 'without a cause'}, now ${finding.candidates?.[0] ?? 'without a cause'})`,
        ],
  );
  const [occurs, it] = fixed.length === 1 ? ['no longer occurs', 'it'] : ['no longer occur', 'them'];
  return [
    ...(fixed.length === 0
      ? []
      : [`fixed: ${list(fixed)} ${occurs}; remove ${it} from ${name}, or --update-baseline`]),
    ...(changed.length === 0
      ? []
      : [
          `of another likeliest cause than in ${name}, so not accepted: ${list(changed)}; --update-baseline accepts what is found now`,
        ]),
  ];
}

function list(names: readonly string[]): string {
  const more = names.length > mostNamed ? ` and ${names.length - mostNamed} more` : '';
  return `${names.slice(0, mostNamed).join(', ')}${more}`;
}

function nameEntry({ client, server, finding }: KnownFinding): string {
  return `${finding} of ${client ?? '(unknown)'} -> ${server ?? '(unknown)'}`;
}
