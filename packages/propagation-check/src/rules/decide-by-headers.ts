import type { Expectation } from '../expect/expectation.ts';
import type { CallHeaders, HeaderLookup } from '../headers/wire.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import { clientNotInstrumented } from './client-not-instrumented.ts';
import { clientSpanLost } from './client-span-lost.ts';
import type { Draft, NextTap, Shown } from './draft.ts';
import type { FindingId } from './finding.ts';
import { formatMismatch, readOtherFormat } from './format-mismatch.ts';
import {
  arrived,
  type HeaderCause,
  lacks,
  readTracecontext,
  type Side,
  silent,
  unsent,
} from './header-cause.ts';
import { headerDuplicated } from './header-duplicated.ts';
import { headerIgnored } from './header-ignored.ts';
import { headerMalformed } from './header-malformed.ts';
import { headerNotSent } from './header-not-sent.ts';
import { headerRewritten } from './header-rewritten.ts';
import { headerStripped } from './header-stripped.ts';
import { calleeNotSampled, callerNotSampled } from './not-sampled.ts';
import { serverNotInstrumented } from './server-not-instrumented.ts';
import { serverSpanLost } from './server-span-lost.ts';

/** In the order in which they are tried: causes at the caller and on the way come before causes in the called service. */
const causes: readonly HeaderCause[] = [
  clientNotInstrumented,
  headerNotSent,
  headerStripped,
  headerDuplicated,
  headerMalformed,
  calleeNotSampled,
  callerNotSampled,
  formatMismatch,
  headerRewritten,
  clientSpanLost,
  headerIgnored,
  serverSpanLost,
  serverNotInstrumented,
];

/** For causes that spans alone show: the header causes that confirm or replace them. */
const confirming: { readonly [Id in FindingId]?: readonly HeaderCause[] } = {
  'wrong-parent': [headerDuplicated],
  'client-span-lost': [headerRewritten, clientSpanLost],
  'server-span-lost': [serverSpanLost],
};

/** Turns a symptom into its causes, for each call whose headers were seen. Calls without such evidence stay undecided. */
export function decideByHeaders(
  draft: Draft,
  headersOf: HeaderLookup,
  expectation: Expectation,
): readonly Draft[] {
  const open = draft.candidates !== undefined ? causes : (confirming[draft.id] ?? []);
  if (open.length === 0 || draft.shown.length === 0) return [draft];
  const seen = draft.shown.map(({ client, server }) => headersOf(client, server, draft));
  if (seen.every((headers) => headers === null)) return [draft];
  const decided = draft.shown.map((shown, at) =>
    decideCall(shown, draft, open, seen[at] ?? null, expectation),
  );
  return groupBy(decided, (call) => call.id ?? '').map((group): Draft => {
    const { candidates, isLikely: _, facts: __, doubt, ...rest } = draft;
    const shown = group.map((call) => call.shown);
    const { id } = group[0];
    const confirmed = doubt === undefined ? {} : { doubt };
    if (id !== null) return { ...rest, id, ...(id === draft.id ? confirmed : { symptom: draft.id }), shown };
    if (candidates === undefined) return { ...draft, shown };
    const nextTap = group.find((call) => call.nextTap !== null)?.nextTap ?? null;
    // A cause is excluded only if it is excluded for each of these calls.
    const isOut = (cause: FindingId): boolean => group.every((call) => call.excluded.includes(cause));
    const left = candidates.filter((cause) => !isOut(cause));
    const rank = (cause: FindingId): number => {
      if (group.every((call) => call.favoured === cause)) return -1;
      return group.every((call) => call.unlikely.includes(cause)) ? 1 : 0;
    };
    return {
      ...draft,
      nextTap,
      candidates: left.toSorted((one, other) => rank(one) - rank(other)),
      shown,
    };
  });
}

/**
 * Merges errors of one edge with the same id: headers may give several symptoms one cause. The merged finding is as certain as its least
 * certain call, and has the candidates of all its calls. Warnings and information stay apart.
 */
export function mergeDrafts(drafts: readonly Draft[]): readonly Draft[] {
  const keyed = drafts.map((draft, at) => ({
    draft,
    key:
      draft.severity === 'error' ? keyFor(draft.id, draft.client, draft.server, draft.protocol) : keyFor(at),
  }));
  return groupBy(keyed, ({ key }) => key).map((group): Draft => {
    const merged = group.map(({ draft }) => draft);
    const isLikely = merged.some((draft) => draft.isLikely);
    const candidateLists = merged.flatMap(({ candidates }) => (candidates === undefined ? [] : [candidates]));
    const nextTap = merged.find((draft) => draft.nextTap)?.nextTap;
    const facts = [...new Set(merged.flatMap((draft) => draft.facts ?? []))];
    return {
      ...group[0].draft,
      ...(isLikely ? { isLikely } : {}),
      ...(candidateLists.length > 0 ? { candidates: [...new Set(candidateLists.flat())] } : {}),
      ...(nextTap ? { nextTap } : {}),
      ...(facts.length > 0 ? { facts } : {}),
      shown: merged.flatMap(({ shown }) => shown),
    };
  });
}

/** The step that decides whether something stands between the tap and this side. */
function askForSecondTap(side: Side): string {
  const whose = side === 'caller' ? 'the caller' : 'the called service';
  return `a tap saw this, but another hop may stand between the tap and ${whose}: ${whereToTap(side)}`;
}

function whereToTap(side: Side): string {
  return side === 'caller'
    ? 'a second tap that the caller calls directly decides'
    : 'a second tap directly in front of the called service decides';
}

interface Decision {
  readonly id: FindingId | null;
  readonly shown: Shown;
  readonly excluded: readonly FindingId[];
  /** Less likely than the others. */
  readonly unlikely: readonly FindingId[];
  /** More likely than the others. */
  readonly favoured: FindingId | null;
  readonly nextTap: NextTap | null;
}

const undecided = {
  id: null,
  excluded: [],
  unlikely: [],
  favoured: null,
  nextTap: null,
} satisfies Omit<Decision, 'shown'>;

function decideCall(
  shown: Shown,
  draft: Draft,
  open: readonly HeaderCause[],
  headers: CallHeaders | null,
  { traceresponse }: Expectation,
): Decision {
  if (headers === null) return { ...undecided, shown };
  const likeliest = draft.candidates?.[0] ?? null;
  const namesItsSpan = traceresponse.includes(draft.server ?? '');
  const { answer, calledAt } = headers;
  const seen = listSeen(shown, headers);
  // A service that names its span in other answers but not in this one made no span, or another program answered.
  const isUnnamed = answer !== null && answer.span === null && answer.isUsual;
  const favoured: FindingId | null = isUnnamed ? 'server-not-instrumented' : null;
  for (const cause of open) {
    const says = cause.explain({
      client: shown.client,
      server: shown.server,
      headers,
      likeliest,
      namesItsSpan,
    });
    if (says === null) continue;
    const suggest = (text: string, side: Side): Decision => {
      const { excludes = [], unlikely = [] } = cause.needs ?? {};
      const excluded = [...excludes, ...(isSentByItself(shown, headers) ? unsent : [])];
      return { ...say(shown, text), excluded, unlikely, favoured, nextTap: { side, calledAt, seen } };
    };
    if (!headers.isTied) {
      const side = headers.isAtCaller ? 'callee' : 'caller';
      return suggest(
        `at that time ${says}, but no id shows that this record is of this call: ${whereToTap(side)}`,
        side,
      );
    }
    const { sides = [], unlikely = [] } = cause.needs ?? {};
    const unproven = sides.find((side) => !(side === 'caller' ? headers.isAtCaller : headers.isAtCallee));
    if (unproven !== undefined) {
      // The caller's side is proven and makes the likeliest cause of the spans alone unlikely. Nothing suggests a hop behind the tap.
      const isLikeliest =
        unproven === 'callee' &&
        sides.includes('caller') &&
        likeliest !== null &&
        unlikely.includes(likeliest);
      const doubt = headers.isRecorded
        ? ', and nothing shows what reached the called service'
        : `; ${askForSecondTap(unproven)}`;
      const suggested = suggest(`${says}${doubt}`, unproven);
      return isLikeliest ? { ...suggested, favoured: favoured ?? cause.finding.id } : suggested;
    }
    const { injected } = headers;
    const own = injected.length > 0 ? ` (injected by a tap: ${injected.join(', ')})` : '';
    return { ...say(shown, `${says}${own}`), id: cause.finding.id };
  }
  const isAtCaller = headers.isRecorded ? seen.includes('caller') : headers.isAtCaller;
  const nextTap: NextTap = { side: isAtCaller ? 'callee' : 'caller', calledAt, seen };
  if (headers.isRecorded) return { ...decideByRecords(shown, headers, favoured), nextTap };
  return { ...undecided, shown, favoured, nextTap };
}

/**
 * Only the caller knows the id of its span, so such a header proves that the caller sent it, wherever it was seen. Without a SERVER span
 * the record may be of another call.
 */
function isSentByItself({ client, server }: Shown, { sent }: CallHeaders): boolean {
  const reading = readTracecontext(sent);
  if (client === null || server === null) return false;
  return reading?.state === 'valid' && reading.spanId === client.spanId;
}

/** The sides for which a record of this call shows whether it had a traceparent. */
function listSeen(shown: Shown, headers: CallHeaders): readonly Side[] {
  const { sent, received, isTied, isAtCaller, isAtCallee } = headers;
  const looksForTraceparent = (context: CallHeaders['sent']): boolean =>
    context?.lookedFor.has('tracecontext') === true;
  const isOfCaller = (isTied && isAtCaller) || isSentByItself(shown, headers);
  return [
    ...(isOfCaller && looksForTraceparent(sent) ? (['caller'] as const) : []),
    ...(isTied && isAtCallee && looksForTraceparent(received) ? (['callee'] as const) : []),
  ];
}

/** The decision if no cause fits. A service may have recorded only headers of other formats. */
function decideByRecords(shown: Shown, headers: CallHeaders, favoured: FindingId | null): Decision {
  const excluded = listExcluded(headers);
  const other = readOtherFormat(shown, headers);
  if (other === null) return { ...undecided, shown, excluded, favoured };
  return {
    ...say(shown, other.says),
    excluded: [...excluded, ...silent],
    favoured: other.isAlone ? 'format-mismatch' : favoured,
  };
}

function say(shown: Shown, text: string): Decision {
  return { ...undecided, shown: { ...shown, says: `${text}; ${shown.says}` } };
}

/** Causes that contradict what one of the two services recorded. */
function listExcluded({ sent, received }: CallHeaders): readonly FindingId[] {
  return [
    ...(received !== null && lacks(received, 'tracecontext') ? arrived : []),
    ...(readTracecontext(sent)?.state === 'valid' ? unsent : []),
  ];
}
