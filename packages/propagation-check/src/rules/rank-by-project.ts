import type { Draft } from './draft.ts';
import type { FindingId } from './finding.ts';
import type { ProjectHint } from './project-hint.ts';

/** The side at fault for a cause: a setting of the caller explains nothing that the called service does. Either may be at fault for the others. */
const sides: { readonly [Id in FindingId]?: 'client' | 'server' } = {
  'header-not-sent': 'client',
  'client-not-instrumented': 'client',
  'client-span-lost': 'client',
  'header-ignored': 'server',
  'server-not-instrumented': 'server',
  'server-span-lost': 'server',
};

/**
 * Files say what is set up wrongly, and spans what went wrong: a candidate that both name comes first, with the files as its reason. They
 * decide nothing, since what runs may be of another version.
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
