import { proseOf } from '../../rules/findings.ts';
import type { Span } from '../../span/span.ts';
import { countOf } from '../../util/count-of.ts';
import type { Evidence, Finding } from '../../verdict/result.ts';
import { prepareCalls } from '../call-picture.ts';
import { describeCount } from '../describe-count.ts';
import { escapeText } from '../escape-text.ts';
import { labelService } from '../terminal-edges.ts';
import { listScopes } from '../terminal-findings.ts';
import { drawBrokenCall } from './broken-call.ts';
import { html, type Markup } from './markup.ts';

/** How many calls of a finding are drawn; the others are links. */
const mostDrawn = 1;

export type WriteFinding = (finding: Finding) => Markup;

/** Makes cards of findings. Each card has a drawing of the first call. */
export function prepareCards(spans: readonly Span[]): WriteFinding {
  const findCall = prepareCalls(spans);
  return (finding) =>
    writeCard(finding, (evidence) => {
      const picture = findCall(finding.id, evidence);
      return picture === null ? null : drawBrokenCall(picture);
    });
}

function writeCard(finding: Finding, draw: (evidence: Evidence) => Markup | null): Markup {
  const {
    id,
    protocol,
    severity,
    confidence,
    client,
    server,
    count,
    evidence,
    facts = [],
    project = [],
    candidates = [],
    decide = [],
    doubt,
    fix,
  } = finding;
  const words = proseOf(id, protocol);
  const [first] = evidence;
  const links = evidence.map(
    ({ traceId, spanId }) =>
      html`<li><a href="#${traceId}-${spanId}">trace ${traceId} span ${spanId}</a></li>`,
  );
  return html`<article class="card ${severity}">
<h3>${severity === 'error' ? '✗' : '!'} ${words.title}</h3>
<p class="meta"><code>${id}</code> · ${confidence} · ${labelService(client)} → ${labelService(server)} · ${describeCount(finding)}</p>
<p>${words.why}</p>
${doubt === undefined ? null : html`<p><b>Doubt:</b> A warning: ${escapeText(doubt)}</p>`}
${first === undefined ? null : html`<p><b>Seen:</b> ${escapeText(first.says)}</p>`}
${evidence.slice(0, mostDrawn).map(draw)}
${facts.map((fact) => html`<p><b>Also:</b> ${escapeText(fact)}</p>`)}
${project.map(({ file, line, says, check }) => html`<p><b>In the files:</b> <code>${escapeText(file)}:${line}</code> ${escapeText(says)} (<code>${check}</code>)</p>`)}
${candidates.length === 0 ? null : html`<h4>May be</h4><ol>${candidates.map((candidate) => html`<li><code>${candidate}</code>: ${proseOf(candidate, protocol).title}</li>`)}</ol>`}
${decide.length === 0 ? null : html`<h4>To decide</h4><ol>${decide.map(renderStep)}</ol>`}
<p><b>Fix:</b> ${escapeText(fix)}</p>
<details><summary>Evidence and instrumentations</summary>
<ul>${links}</ul>${count > evidence.length && evidence.length > 0 ? html`<p>… and ${countOf(count - evidence.length, 'more call')}</p>` : null}
${listScopes(finding).map(([service, names]) => html`<p>in ${labelService(service)}: ${names.map(escapeText).join(', ')}</p>`)}
<p>Page: <code>${finding.docs}</code></p></details></article>`;
}

/** A step may have a command on its second line. */
function renderStep(step: string): Markup {
  const [text = '', ...commands] = step.split('\n');
  return html`<li>${escapeText(text)}${commands.map((command) => html`<pre>${escapeText(command)}</pre>`)}</li>`;
}
