import { createHash } from 'node:crypto';
import type { Span } from '../../span/span.ts';
import { countOf } from '../../util/count-of.ts';
import { escapeJson } from '../../util/escape-json.ts';
import type { EdgeResult, Result } from '../../verdict/result.ts';
import { describeCount } from '../describe-count.ts';
import { escapeText } from '../escape-text.ts';
import type { ReportDetails } from '../json.ts';
import {
  describeNotes,
  listAccepted,
  listErrorsFirst,
  listInfos,
  nameAcceptance,
  nameVerdict,
  outcomeOf,
  summarise,
} from '../summary.ts';
import { type ExtraCount, labelService, listExtraCounts, rankEdges } from '../terminal-edges.ts';
import { collectPageData } from './collect-page-data.ts';
import { prepareCards } from './finding-card.ts';
import { html, type Markup, trusted } from './markup.ts';
import { pageStyle } from './page-style.ts';
import { drawServiceGraph, rateOf } from './service-graph.ts';

/** Not in the template: for `</script` in a tagged template the bundler imports a helper of a package that users do not install. */
const scriptEnd = trusted('</script>');

/**
 * The result as one self-contained HTML file: it needs no network, and its content security policy permits only its own script and style
 * sheet. Findings, graph and edges are visible without JavaScript; the script adds the traces.
 *
 * @param spans The spans of the traces that the page can show (`pickSpans`), including those of broken calls.
 * @param script The script of the page (`page/page.ts`).
 */
export function renderHtml(
  result: Result,
  details: ReportDetails,
  spans: readonly Span[],
  script: string,
): string {
  const policy = `default-src 'none'; script-src ${hash(script)}; style-src ${hash(pageStyle)}; base-uri 'none'; form-action 'none'`;
  const data = escapeJson(JSON.stringify(collectPageData(spans, result))).replaceAll('<', '\\u003c');
  const writeCard = prepareCards(spans);
  const cards = listErrorsFirst(result).map(writeCard);
  const verdict = nameVerdict(result, details);
  const left = result.spans - spans.length;
  return `<!doctype html>\n${
    html`<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${verdict}: trace context propagation</title>
<style>${trusted(pageStyle)}</style></head>
<body><header><h1 class="${{ passed: 'fine', failed: 'error', unknown: 'warning' }[outcomeOf(result, details)]}">${verdict}</h1>
<p>${summarise(result, details)}</p><p class="note">from ${escapeText(details.source)}</p>
${describeNotes(details).map((note) => html`<p class="note">Note: ${escapeText(note)}</p>`)}</header>
<main>
${cards.length === 0 ? null : html`<section><h2>Findings</h2>${cards}</section>`}
${writeEdges(result)}
${writeAccepted(result)}
${writeInfos(result)}
<section class="viewer" aria-labelledby="traces"><h2 id="traces">Traces</h2>
<div class="tools"><input type="search" id="search" aria-label="Search traces by id, service or span name" placeholder="id, service or span name">
<label><input type="checkbox" id="only-broken"> only evidence of findings</label> <span id="trace-count" role="status"></span></div>
${left > 0 ? html`<p class="note">${countOf(left, 'span')} left out, so that the page stays light: other traces, and what is far from a finding.</p>` : null}
<div class="list" id="trace-list" role="listbox" tabindex="0" aria-label="Traces"></div>
<h3 id="trace-heading"></h3>
<div class="list" id="waterfall" role="listbox" tabindex="0" aria-labelledby="trace-heading"></div>
<dl id="span-details" aria-live="polite"></dl></section>
</main><script type="application/json" id="data">${trusted(data)}${scriptEnd}<script>${trusted(script)}${scriptEnd}</body></html>`
      .markup
  }\n`;
}

function hash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

function writeEdges(result: Result): Markup | null {
  if (result.edges.length === 0) return null;
  const rows = rankEdges(result);
  const extra = listExtraCounts(result.edges);
  return html`<section><h2>Edges</h2>${drawServiceGraph(result)}
<div class="scroll" tabindex="0" role="region" aria-label="Table of edges"><table class="edges"><thead><tr><th scope="col">caller</th><th scope="col">called</th><th scope="col">protocol</th><th scope="col" class="number">calls</th><th scope="col" class="number">broken</th>${extra.map(({ title }) => html`<th scope="col" class="number">${title}</th>`)}<th scope="col" class="number">intact</th></tr></thead>
<tbody>${rows.map(({ edge, mark }) => writeEdge(edge, mark, extra))}</tbody></table></div></section>`;
}

function writeEdge(edge: EdgeResult, mark: string, extra: readonly ExtraCount[]): Markup {
  const { client, server, protocol, calls, broken } = edge;
  return html`<tr><td>${labelService(client)}</td><td>${labelService(server)}</td><td>${protocol}</td><td class="number">${calls}</td><td class="number">${broken}</td>${extra.map(({ count }) => html`<td class="number">${edge[count] ?? 0}</td>`)}<td class="number ${mark}">${rateOf(edge)}</td></tr>`;
}

function writeAccepted(result: Result): Markup | null {
  const accepted = listAccepted(result);
  if (accepted.length === 0) return null;
  return html`<section><h2>Accepted</h2><ul>${accepted.map(
    (finding) =>
      html`<li>${nameAcceptance(finding)}: ${labelService(finding.client)} → ${labelService(finding.server)} <code>${finding.id}</code>, ${describeCount(finding)}</li>`,
  )}</ul></section>`;
}

function writeInfos(result: Result): Markup | null {
  const infos = listInfos(result);
  if (infos.length === 0) return null;
  return html`<section><h2>Good to know</h2><ul>${infos.map(
    ({ id, client, server, count, evidence }) =>
      html`<li><code>${id}</code> ${labelService(client)} → ${labelService(server)}, ${countOf(count, 'time')}${evidence[0] === undefined ? null : html`: ${escapeText(evidence[0].says)}`}</li>`,
  )}</ul></section>`;
}
