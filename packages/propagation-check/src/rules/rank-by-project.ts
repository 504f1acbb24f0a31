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
    inProject: [...new Set(raised.flatMap(raisedBy))].map((hint) => sayUnmatched(draft, hint)),
  };
}

function isConcerned({ client, server }: Draft, cause: FindingId, hint: ProjectHint): boolean {
  const { service, apartFrom } = hint;
  if (service === null) return mayBelong([client, server], cause, hint);
  const isApart =
    apartFrom === undefined ||
    [client, server, null].some((side) => side !== service && apartFrom.includes(side));
  const side = sides[cause];
  if (side === undefined) return isApart && (service === client || service === server);
  return isApart && service === (side === 'client' ? client : server);
}

/** Whether the file may belong to the service at fault. It does not where a folder has the name of that service, and the file is elsewhere. */
function mayBelong(
  [client, server]: readonly [string | null, string | null],
  cause: FindingId,
  { owners = [], named }: ProjectHint,
): boolean {
  const side = sides[cause];
  const atFault = side === undefined ? [client, server] : [side === 'client' ? client : server];
  return (
    owners.length === 0 ||
    atFault.some((name) => isNamed(name, owners)) ||
    atFault.some((name) => !isNamed(name, named ?? []))
  );
}

function isNamed(service: string | null, names: Iterable<string>): boolean {
  return service !== null && [...names].includes(service.toLowerCase());
}

/** Says of a file whose folder has neither name that nothing shows whose it is. */
function sayUnmatched({ client, server }: Draft, hint: ProjectHint): ProjectHint {
  const { service, owners = [], says } = hint;
  const isMatched =
    service !== null || owners.length === 0 || [client, server].some((name) => isNamed(name, owners));
  if (isMatched) return hint;
  const names = [client, server].filter((name) => name !== null).join(' or ');
  return {
    ...hint,
    says: `${says}; may be of another service: no folder, package.json or OTEL_SERVICE_NAME with this file is named ${names}`,
  };
}
