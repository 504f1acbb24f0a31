import type { Span } from '../../span/span.ts';
import { hideSecrets } from '../../util/hide-secrets.ts';
import { later } from '../../util/statistics.ts';
import { escapeText } from '../escape-text.ts';
import { nameService } from '../terminal-edges.ts';
import { findStart, listHeaders, toMs } from './collect-page-data.ts';
import { html, type Markup } from './markup.ts';

/** So many spans above the CLIENT span, and below the SERVER span, show where they stand. */
const mostAround = 4;

/** A call of which at least one side is known. */
export interface BrokenCall {
  readonly client: Span | null;
  readonly server: Span | null;
}

export type Lookup = (traceId: string, spanId: string) => Span | undefined;

/**
 * The caller's trace and that of the called service one below the other on one time axis, with the cut between them, and the
 * propagation headers that either span recorded.
 */
export function drawBrokenCall(
  { client, server }: BrokenCall,
  findSpan: Lookup,
  childrenOf: (span: Span) => readonly Span[],
): Markup {
  const above = client === null ? [] : [...listAncestors(client, findSpan), client];
  const below = server === null ? [] : [server, ...listDescendants(server, childrenOf)];
  const spans = [...above, ...below];
  const origin = findStart(spans);
  const end = spans.map((span) => span.endTimeUnixNano).reduce(later, origin);
  const whole = Math.max(toMs(end - origin), 0.001);
  const write = (span: Span): Markup => {
    const from = (toMs(span.startTimeUnixNano - origin) / whole) * 1_000;
    const width = Math.max(3, (toMs(span.endTimeUnixNano - span.startTimeUnixNano) / whole) * 1_000);
    const isSide = span === client || span === server;
    return html`<tr class="${isSide ? 'side' : ''}"><th scope="row"><b>${nameService(span.serviceName)}</b> ${span.kind} ${escapeText(hideSecrets(span.name))} <a href="#${span.traceId}-${span.spanId}">${span.spanId}</a>${listHeaders(span).map((header) => html`<code>${header}</code>`)}</th><td><svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true"><rect x="${from.toFixed(1)}" width="${width.toFixed(1)}" height="10"/></svg></td><td>${toMs(span.endTimeUnixNano - span.startTimeUnixNano).toFixed(2)} ms</td></tr>`;
  };
  const cut = html`<tr class="cut"><th colspan="3" scope="row">✂ ${nameCut(client, server)}</th></tr>`;
  const rows = isWhole(client, server)
    ? [cut, ...above.map(write), ...below.map(write)]
    : [...above.map(write), cut, ...below.map(write)];
  return html`<div class="scroll" tabindex="0" role="region" aria-label="The broken call"><table class="call">
<caption>${nameTraces(client, server)}</caption><tbody>${rows}</tbody></table></div>`;
}

/** The call itself is whole: the cut is above it, in the caller. */
function isWhole(client: Span | null, server: Span | null): boolean {
  return client !== null && client.spanId === server?.parentSpanId && client.traceId === server.traceId;
}

function nameTraces(client: Span | null, server: Span | null): string {
  if (client === null) return `trace ${server?.traceId ?? ''}`;
  if (server === null || server.traceId === client.traceId) return `trace ${client.traceId}`;
  return `above trace ${client.traceId}, below trace ${server.traceId}, on one time axis`;
}

function nameCut(client: Span | null, server: Span | null): string {
  if (server === null) return 'no span of the called side has this span as its parent';
  if (isWhole(client, server)) return 'the context was lost in the caller, before its span began';
  const { traceId, parentSpanId } = server;
  if (parentSpanId !== null)
    return client === null
      ? `the parent of the span below, ${parentSpanId}, is not here`
      : `the parent of the span below, ${parentSpanId}, is not the span of the call`;
  return traceId === client?.traceId
    ? 'the parent is lost here: the span below is a second root of the trace'
    : 'the context is lost here: the span below is the root of a trace of its own';
}

/** The nearest ones, the outermost first. Ends for cycles. */
function listAncestors(span: Span, findSpan: Lookup): readonly Span[] {
  const found: Span[] = [];
  let next = parentOf(span, findSpan);
  while (next !== undefined && found.length < mostAround) {
    found.unshift(next);
    next = parentOf(next, findSpan);
  }
  return found;
}

function parentOf({ traceId, parentSpanId }: Span, findSpan: Lookup): Span | undefined {
  return parentSpanId === null ? undefined : findSpan(traceId, parentSpanId);
}

function listDescendants(span: Span, childrenOf: (span: Span) => readonly Span[]): readonly Span[] {
  const found: Span[] = [];
  const waiting = [...childrenOf(span)];
  for (let next = waiting.shift(); next !== undefined && found.length < mostAround; next = waiting.shift()) {
    if (found.includes(next)) continue;
    found.push(next);
    waiting.push(...childrenOf(next));
  }
  return found;
}
