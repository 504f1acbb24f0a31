import type { DoctorCheck, Observation } from '../check.ts';
import { findHandSet } from '../hand-set-header.ts';
import { listReachable } from '../node-setup.ts';
import { findSdk, type NodeUnit } from '../node-unit.ts';
import { allInstrumentations, fetchInstrumentation } from '../patched-modules.ts';
import { placeAt } from '../place.ts';
import type { Project } from '../project.ts';
import { findFirst, type SourceFile } from '../source-file.ts';

export const nodeInjectsTwice: DoctorCheck = {
  id: 'node-injects-twice',
  severity: 'warning',
  title: 'Code and instrumentation both inject the header',
  why: 'The instrumentation of undici adds its header to the ones that the caller gives `fetch`. Two `traceparent` headers are one invalid one for the called service, which begins a new trace.',
  fix: 'Remove `propagation.inject`, and a `traceparent` that the code sets or forwards, from calls that are instrumented, or suppress tracing around them.',
  example: { language: 'js', text: 'const response = await fetch(url);' },
  leadsTo: ['header-duplicated', 'header-malformed'],
  find: (project) => project.units.flatMap((unit) => judge(project, unit)),
};

function judge(project: Project, unit: NodeUnit): readonly Observation[] {
  const { dependencies } = unit;
  if (findSdk(unit) === null) return [];
  if (!dependencies.has(allInstrumentations) && !dependencies.has(fetchInstrumentation)) return [];
  const reachable = listReachable(project, unit);
  return [...reachable.flatMap(findInject), ...listHandSet(project, reachable)];
}

/** Code that suppresses the instrumentation, or makes its own CLIENT or PRODUCER spans, may be correct. */
const isByHand = ({ text }: SourceFile): boolean =>
  /suppressTracing|SpanKind\.(?:CLIENT|PRODUCER)/.test(text);

function findInject(source: SourceFile): readonly Observation[] {
  const { text } = source;
  const place = findFirst(source, /\bpropagation\s*\.\s*inject\s*\(/);
  const calls =
    /(?<![\w.$'"`-])fetch\s*\(/.test(text) || source.imports.some(({ from }) => from === 'undici');
  if (place === null || !calls || isByHand(source)) return [];
  return [
    {
      place,
      says: 'propagation.inject beside fetch, which is instrumented',
      isUnsure: !injectsIntoHeaders(text),
    },
  ];
}

/** Switches the instrumentation of undici off, for all requests or for some. */
const switchedOff =
  /instrumentation-undici['"]\s*:\s*\{[^}]*(?:enabled\s*:\s*false|ignoreRequestHook|requireParentforSpans)|UndiciInstrumentation\(\s*\{[^}]*(?:ignoreRequestHook|requireParentforSpans)|OTEL_NODE_(?:DISABLED|ENABLED)_INSTRUMENTATIONS/;

/** Requests that get a trace header by hand. The instrumentations of `http`, which axios and got use, replace such a header, so they are safe. */
function listHandSet(project: Project, reachable: readonly SourceFile[]): readonly Observation[] {
  if (project.mentions(switchedOff)) return [];
  const isSuppressed = reachable.some(({ text }) => text.includes('suppressTracing'));
  return findHandSet(reachable.filter((source) => !isByHand(source))).map(({ source, offset, how }) => ({
    place: placeAt(source, offset),
    says: `${saysOfHandSet[how]}, and the instrumentation adds its own`,
    isUnsure: isSuppressed || how !== 'set',
  }));
}

const saysOfHandSet = {
  set: 'gets a traceparent by hand',
  forwarded: 'forwards all headers of its request, which may have a traceparent',
  unsure: 'perhaps gets a traceparent by hand',
} as const;

/** Whether the object into which the context is injected is passed to `fetch`. */
function injectsIntoHeaders(text: string): boolean {
  const carrier = /propagation\s*\.\s*inject\s*\(\s*[\w.()]+\s*,\s*(\w+)\s*[,)]/.exec(text)?.[1];
  if (carrier === undefined) return false;
  return new RegExp(`fetch\\s*\\([^;]*\\b${carrier}\\b`, 's').test(text);
}
