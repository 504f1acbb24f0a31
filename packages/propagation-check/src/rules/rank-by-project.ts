import type { Draft } from './draft.ts';
import type { FindingId } from './finding.ts';
import type { ProjectHint } from './project-hint.ts';

/**
 * The side at fault for a cause: a setting of the caller does not explain what the called service does. For other causes either side may be
 * at fault.
 */
const sides: { readonly [Id in FindingId]?: 'client' | 'server' } = {
  'header-not-sent': 'client',
  'client-not-instrumented': 'client',
  'client-span-lost': 'client',
  'header-ignored': 'server',
  'server-not-instrumented': 'server',
  'server-span-lost': 'server',
};

/**
 * Ranks a candidate first if files of the project explain it, and attaches those files. They decide nothing, as the running version may
 * differ.
 */
export function rankByProject(draft: Draft, hints: readonly ProjectHint[]): Draft {
  const { candidates } = draft;
  if (candidates === undefined) return draft;
  const raisedBy = (cause: FindingId): readonly ProjectHint[] =>
    hints.filter((hint) => hint.leadsTo.includes(cause) && isConcerned(draft, cause, hint));
  const raised = candidates.filter((cause) => raisedBy(cause).length > 0);
  if (raised.length === 0) return draft;
  return {
    ...draft,
    candidates: [...raised, ...candidates.filter((cause) => !raised.includes(cause))],
    inProject: [...new Set(raised.flatMap(raisedBy))],
  };
}

function isConcerned(
  { client, server }: Draft,
  cause: FindingId,
  { service, apartFrom }: Pick<ProjectHint, 'service' | 'apartFrom'>,
): boolean {
  if (service === null) return true;
  const isApart =
    apartFrom === undefined ||
    [client, server, null].some((side) => side !== service && apartFrom.includes(side));
  const side = sides[cause];
  if (side === undefined) return isApart && (service === client || service === server);
  return isApart && service === (side === 'client' ? client : server);
}
