import type { Span } from '../../span/span.ts';
import { hideSecrets } from '../../util/hide-secrets.ts';
import type { CallPicture } from '../call-picture.ts';
import { escapeText } from '../escape-text.ts';
import { listHeaders } from '../list-headers.ts';
import { findEnd, findStart, toMs } from '../span-times.ts';
import { labelService } from '../terminal-edges.ts';
import { html, type Markup } from './markup.ts';

/**
 * Draws the traces of the caller and of the called service, one below the other, on one time axis, with the cut between them and the
 * propagation headers that their spans recorded.
 */
export function drawBrokenCall({ above, below, sides, cut }: CallPicture): Markup {
  const spans = [...above, ...below];
  const origin = findStart(spans);
  const whole = Math.max(toMs(findEnd(spans) - origin), 0.001);
  const write = (span: Span): Markup => {
    const from = (toMs(span.startTimeUnixNano - origin) / whole) * 1_000;
    const width = Math.max(3, (toMs(span.endTimeUnixNano - span.startTimeUnixNano) / whole) * 1_000);
    return html`<tr class="${sides.has(span) ? 'side' : ''}"><th scope="row"><b>${labelService(span.serviceName)}</b> ${span.kind} ${escapeText(hideSecrets(span.name))} <a href="#${span.traceId}-${span.spanId}">${span.spanId}</a>${listHeaders(span).map((header) => html`<code>${header}</code>`)}</th><td><svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true"><rect x="${from.toFixed(1)}" width="${width.toFixed(1)}" height="10"/></svg></td><td>${toMs(span.endTimeUnixNano - span.startTimeUnixNano).toFixed(2)} ms</td></tr>`;
  };
  const line = cut === null ? [] : [html`<tr class="cut"><th colspan="3" scope="row">✂ ${cut}</th></tr>`];
  const rows = [...above.map(write), ...line, ...below.map(write)];
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${cut === null ? 'The call' : 'The broken call'}"><table class="call">
<caption>${nameTraces(above.at(-1), below[0])}</caption><tbody>${rows}</tbody></table></div>`;
}

function nameTraces(caller: Span | undefined, called: Span | undefined): string {
  const one = caller ?? called;
  if (caller === undefined || called === undefined || caller.traceId === called.traceId)
    return `trace ${one?.traceId ?? ''}`;
  return `above trace ${caller.traceId}, below trace ${called.traceId}, on one time axis`;
}
