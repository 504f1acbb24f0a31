import { countOf } from '../util/count-of.ts';
import { type Group, keyFor, mapBy } from '../util/group-by.ts';
import type { Draft } from './draft.ts';

/**
 * If headers decide some calls of a symptom, the calls whose headers decide nothing probably have the same cause: it is ranked first, and
 * their finding comes after the decided ones. It stays undecided, because one edge may have two faults.
 */
export function rankByDecided(drafts: readonly Draft[]): readonly Draft[] {
  const decided = mapBy(
    drafts.filter(({ severity }) => severity === 'error'),
    (draft) => nameSymptom(draft, draft.symptom),
  );
  const open = mapBy(
    drafts.filter((draft) => draft.candidates !== undefined && decided.has(nameSymptom(draft, draft.id))),
    (draft) => nameSymptom(draft, draft.id),
  );
  const later = new Set([...open.values()].flat());
  return drafts.flatMap((draft) => {
    if (later.has(draft)) return [];
    const key = nameSymptom(draft, draft.symptom);
    const alike = decided.get(key);
    const isLast = alike !== undefined && alike.at(-1) === draft;
    return isLast ? [draft, ...(open.get(key) ?? []).map((one) => rankFirst(one, alike))] : [draft];
  });
}

function rankFirst(draft: Draft, decided: Group<Draft>): Draft {
  const { candidates = [], facts = [] } = draft;
  const [{ id, shown }, ...others] = decided;
  if (others.length > 0 || !candidates.includes(id)) return draft;
  return {
    ...draft,
    candidates: [id, ...candidates.filter((cause) => cause !== id)],
    facts: [...facts, `headers show ${id} for ${countOf(shown.length, 'other call')} of this edge`],
  };
}

function nameSymptom({ client, server, protocol }: Draft, symptom: string | undefined): string {
  return keyFor(client, server, protocol, symptom ?? null);
}
