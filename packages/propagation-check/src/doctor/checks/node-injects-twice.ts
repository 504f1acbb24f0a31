import type { DoctorCheck, Observation } from '../check.ts';
import { listReachable } from '../node-setup.ts';
import { findSdk, type NodeUnit } from '../node-unit.ts';
import { allInstrumentations, fetchInstrumentation } from '../patched-modules.ts';
import type { Project } from '../project.ts';
import { findFirst } from '../source-file.ts';

export const nodeInjectsTwice: DoctorCheck = {
  id: 'node-injects-twice',
  severity: 'warning',
  title: 'Code and instrumentation both inject the header',
  why: 'The instrumentation of undici adds its header to the ones that the caller gives `fetch`. Two `traceparent` headers are one invalid one for the called service, which begins a new trace.',
  fix: 'Remove `propagation.inject` from calls that are instrumented, or suppress tracing around them.',
  example: { language: 'js', text: 'const response = await fetch(url);' },
  leadsTo: ['header-duplicated', 'header-malformed'],
  find: (project) => project.units.flatMap((unit) => judge(project, unit)),
};

function judge(project: Project, unit: NodeUnit): readonly Observation[] {
  const { dependencies } = unit;
  if (findSdk(unit) === null) return [];
  if (!dependencies.has(allInstrumentations) && !dependencies.has(fetchInstrumentation)) return [];
  return listReachable(project, unit).flatMap((source) => {
    const { text } = source;
    const place = findFirst(source, /\bpropagation\s*\.\s*inject\s*\(/);
    const calls =
      /(?<![\w.$'"`-])fetch\s*\(/.test(text) || source.imports.some(({ from }) => from === 'undici');
    // Code that suppresses the instrumentation, or makes its own CLIENT or PRODUCER spans, may be correct.
    if (place === null || !calls || /suppressTracing|SpanKind\.(?:CLIENT|PRODUCER)/.test(text)) return [];
    return [
      {
        place,
        says: 'propagation.inject beside fetch, which is instrumented',
        isUnsure: !injectsIntoHeaders(text),
      },
    ];
  });
}

/** Whether the object into which the context is injected is passed to `fetch`. */
function injectsIntoHeaders(text: string): boolean {
  const carrier = /propagation\s*\.\s*inject\s*\(\s*[\w.()]+\s*,\s*(\w+)\s*[,)]/.exec(text)?.[1];
  if (carrier === undefined) return false;
  return new RegExp(`fetch\\s*\\([^;]*\\b${carrier}\\b`, 's').test(text);
}
