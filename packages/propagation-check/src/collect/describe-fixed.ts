import { type Baseline, type KnownFinding, listFixed } from '../verdict/apply-baseline.ts';
import type { Result } from '../verdict/result.ts';

const mostFixed = 10;

/** @param name Of the baseline. */
export function describeFixed(result: Result, baseline: Baseline, name: string): readonly string[] {
  const fixed = listFixed(result, baseline);
  if (fixed.length === 0) return [];
  const more = fixed.length > mostFixed ? ` and ${fixed.length - mostFixed} more` : '';
  const [occurs, it] = fixed.length === 1 ? ['no longer occurs', 'it'] : ['no longer occur', 'them'];
  return [
    `fixed: ${fixed.slice(0, mostFixed).map(nameEntry).join(', ')}${more} ${occurs}; remove ${it} from ${name}, or --update-baseline`,
  ];
}

function nameEntry({ client, server, finding }: KnownFinding): string {
  return `${finding} of ${client ?? '(unknown)'} -> ${server ?? '(unknown)'}`;
}
