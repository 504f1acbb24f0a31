import type { DoctorCheck, Observation } from '../check.ts';
import { type Directive, readNginx } from '../nginx-file.ts';
import { placeAt } from '../place.ts';
import type { ProjectFile } from '../project-file.ts';

export const nginxSpans: DoctorCheck = {
  id: 'nginx-spans-apart',
  severity: 'error',
  title: 'nginx makes spans and does not join them to the trace',
  why: '`otel_trace on` makes a span of each request; the default of `otel_trace_context` is `ignore`, so the span begins a trace of its own and the callee hangs beside it.',
  fix: 'Set `otel_trace_context propagate` (or `inject` where nginx begins the trace) beside `otel_trace`.',
  example: { language: 'nginx', text: 'otel_trace on;\notel_trace_context propagate;' },
  leadsTo: ['header-passed-through', 'split-trace'],
  find: ({ ofKind }) => ofKind('nginx').flatMap((file) => judge(file, readNginx(file) ?? [], 'ignore')),
};

/** Source: nginx, `ngx_otel_module`: `otel_trace` and `otel_trace_context` are inherited. */
function judge(file: ProjectFile, block: readonly Directive[], inherited: string): readonly Observation[] {
  const own = block.find(({ name }) => name === 'otel_trace_context')?.words[0];
  const context = own ?? inherited;
  return block.flatMap((directive) => {
    if (directive.block !== null) return judge(file, directive.block, context);
    const { name, words, offset } = directive;
    if (name !== 'otel_trace' || words[0] === 'off' || (context !== 'ignore' && context !== 'extract'))
      return [];
    // The locations may set `otel_trace_context` themselves.
    if (hasContextBelow(block)) return [];
    return [
      {
        place: placeAt(file, offset),
        says:
          own === undefined
            ? 'otel_trace without otel_trace_context, whose default is ignore'
            : `otel_trace_context ${context} sends no context of nginx's span`,
      },
    ];
  });
}

function hasContextBelow(block: readonly Directive[]): boolean {
  return block.some(
    ({ block: inner }) =>
      inner !== null && (inner.some(({ name }) => name === 'otel_trace_context') || hasContextBelow(inner)),
  );
}
