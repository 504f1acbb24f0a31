import type { Span } from '../span/span.ts';
import { type Draft, listExplained } from './draft.ts';
import { toOpen } from './open-ends.ts';
import type { Silence } from './rule.ts';
import { rules } from './rules-in-order.ts';
import type { BaseScene, LooseEnds, Open, Scene } from './scene.ts';
import { shareResults } from './shared-results.ts';

/** The reports of all rules. */
export interface Outcome {
  readonly scene: Scene;
  readonly drafts: readonly Draft[];
  readonly silences: readonly Silence[];
}

/** Runs each rule in turn on the loose ends that no earlier rule has explained. */
export function runRules(facts: BaseScene, looseEnds: LooseEnds): Outcome {
  const scene: Scene = { ...facts, shared: shareResults(facts, looseEnds) };
  const silences: (readonly Silence[])[] = [];
  let open = toOpen(looseEnds, []);
  for (const rule of rules) {
    const judged = rule.judge(scene, open);
    silences.push(judged.silences);
    open = withoutExplained(open, judged.drafts);
  }
  return { scene, drafts: open.found, silences: silences.flat() };
}

function withoutExplained(open: Open, found: readonly Draft[]): Open {
  if (found.length === 0) return open;
  const explained = new Set<Span>();
  for (const draft of found) {
    for (const span of listExplained(draft)) if (span !== null) explained.add(span);
  }
  const isLeft = (span: Span): boolean => !explained.has(span);
  const left = {
    clients: open.clients.filter(isLeft),
    roots: open.roots.without(explained),
    orphans: open.orphans.filter(isLeft),
  };
  return toOpen(left, [...open.found, ...found]);
}
