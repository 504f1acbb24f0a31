import type { DoctorCheck, Observation } from '../check.ts';
import { type Environment, readVariable } from '../environment.ts';
import { httpInstrumentation } from '../patched-modules.ts';
import { placeAt } from '../place.ts';
import type { SourceFile } from '../source-file.ts';

export const nodeInstrumentationDisabled: DoctorCheck = {
  id: 'node-instrumentation-disabled',
  severity: 'warning',
  title: 'The instrumentation of HTTP is switched off',
  why: 'The instrumentation of `http` reads the header of every request to the service and writes that of its calls; the one of undici writes it for `fetch`. Those of frameworks do neither.',
  fix: 'Switch it on, and use its hooks to leave out requests that nobody wants to see.',
  example: {
    language: 'yaml',
    text: 'environment:\n  OTEL_NODE_ENABLED_INSTRUMENTATIONS: http,undici,express',
  },
  leadsTo: ['server-not-instrumented', 'client-not-instrumented', 'header-not-sent', 'header-ignored'],
  find: ({ environments, sources }) => [
    ...environments.flatMap(judgeVariables),
    ...sources.flatMap((source) =>
      [...source.text.matchAll(inCode)]
        .filter(([, name = '']) => !isReplaced(name, sources))
        .map((match) => ({
          place: placeAt(source, match.index),
          says: `${match[1]} has enabled: false`,
        })),
    ),
  ],
};

/** Whether another instance replaces the disabled instrumentation. Without `fetch` that of undici is not needed. */
function isReplaced(name: string, sources: readonly SourceFile[]): boolean {
  const uses = (pattern: RegExp) => sources.some(({ text }) => pattern.test(text));
  if (name === httpInstrumentation) return uses(/new\s+HttpInstrumentation\s*\(/);
  return uses(/new\s+UndiciInstrumentation\s*\(/) || !uses(/(?<![\w.$'"`-])fetch\s*\(/);
}

const inCode = /['"](@opentelemetry\/instrumentation-(?:http|undici))['"]\s*:\s*\{\s*enabled\s*:\s*false\b/g;

/** Source: @opentelemetry/auto-instrumentations-node, README: names have no prefix; with a list of enabled ones, others are disabled. */
function judgeVariables(environment: Environment): readonly Observation[] {
  const enabled = readVariable(environment, 'OTEL_NODE_ENABLED_INSTRUMENTATIONS');
  const disabled = readVariable(environment, 'OTEL_NODE_DISABLED_INSTRUMENTATIONS');
  const list = (text: string): readonly string[] => text.split(',').map((name) => name.trim());
  const service = environment.service;
  if (disabled !== null && list(disabled.value).includes('http'))
    return [{ place: disabled.place, service, says: 'http is among the instrumentations that are disabled' }];
  if (enabled !== null && enabled.value !== '' && !list(enabled.value).includes('http'))
    return [{ place: enabled.place, service, says: `only ${enabled.value} is enabled, without http` }];
  return [];
}
