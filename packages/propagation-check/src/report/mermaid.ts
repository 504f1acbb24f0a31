import { proseOf } from '../rules/findings.ts';
import type { Span } from '../span/span.ts';
import { hideSecrets } from '../util/hide-secrets.ts';
import type { Finding } from '../verdict/result.ts';
import { prepareCalls } from './call-picture.ts';
import { escapeText } from './escape-text.ts';
import { labelService } from './terminal-edges.ts';

/** A diagram of more messages is unreadable. */
const mostMessages = 20;
const longestName = 80;
const longestNote = 160;

interface Message {
  readonly at: bigint;
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly isBroken: boolean;
}

/** A sequence diagram of the calls between services in the traces of the first evidence. Null where the spans of the caller are missing. */
export function drawSequence(finding: Finding, spans: readonly Span[]): string | null {
  const { id: findingId, protocol, evidence, client, server } = finding;
  const [first] = evidence;
  if (first === undefined) return null;
  const sides = [first, ...(first.server === undefined ? [] : [first.server])];
  const traces = new Set(sides.map(({ traceId }) => traceId));
  const own = spans.filter(({ traceId }) => traces.has(traceId));
  const [caller, called] = sides.map((side) =>
    own.find(({ traceId, spanId }) => traceId === side.traceId && spanId === side.spanId),
  );
  if (caller === undefined) return null;
  const broken: Message = {
    at: caller.startTimeUnixNano,
    from: labelService(client),
    to: labelService(called?.serviceName ?? server),
    text: caller.name,
    isBroken: true,
  };
  const messages = [...listCalls(own), broken].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const nearBroken = Math.max(0, messages.indexOf(broken) - mostMessages / 2);
  const shown = messages.slice(nearBroken, nearBroken + mostMessages);
  const names = [...new Set(shown.flatMap(({ from, to }) => [from, to]))];
  const id = (name: string) => `s${names.indexOf(name)}`;
  return [
    'sequenceDiagram',
    ...names.map((name) => `  participant ${id(name)} as ${escapeMermaid(name)}`),
    ...shown.flatMap(({ from, to, text, isBroken }) => {
      const arrow = isBroken ? '-x' : '->>';
      const message = `  ${id(from)}${arrow}${id(to)}: ${escapeMermaid(escapeText(hideSecrets(text)))}`;
      return isBroken
        ? [
            message,
            `  Note over ${id(to)}: ${escapeMermaid(prepareCalls(own)(findingId, first)?.cut ?? proseOf(findingId, protocol).title, longestNote)}`,
          ]
        : [message];
    }),
  ].join('\n');
}

/** The spans whose parent belongs to another service. */
function listCalls(spans: readonly Span[]): readonly Message[] {
  const byId = new Map(spans.map((span) => [`${span.traceId}:${span.spanId}`, span]));
  return spans.flatMap((span) => {
    const parent = byId.get(`${span.traceId}:${span.parentSpanId}`);
    if (parent === undefined || parent.serviceName === span.serviceName) return [];
    return [
      {
        at: span.startTimeUnixNano,
        from: labelService(parent.serviceName),
        to: labelService(span.serviceName),
        text: span.name,
        isBroken: false,
      },
    ];
  });
}

/** Escapes everything that Mermaid may take for syntax, and the word that ends a block. Source: Mermaid documentation, "Entity codes". */
function escapeMermaid(text: string, longest = longestName): string {
  return text
    .slice(0, longest)
    .toWellFormed()
    .replace(/[^\p{L}\p{N} ./_()→-]/gu, (character) => `#${character.codePointAt(0) ?? 0};`)
    .replace(/\bend\b/gi, (word) => `#${word.codePointAt(0) ?? 0};${word.slice(1)}`);
}
