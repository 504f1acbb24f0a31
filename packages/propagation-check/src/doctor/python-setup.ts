import type { Project } from './project.ts';
import type { SourceFile } from './source-file.ts';

const byName = /\b\w+Instrumentor\s*(?:\(\s*\)\s*)?\.\s*instrument(?:_app)?\s*\(/;

/** A call of `instrument()` on a variable, for instance in a loop over instrumentors. */
const byValue = /(?<!Instrumentor\s*(?:\(\s*\)\s*)?)\.\s*instrument\s*\(/;

const loadsAll =
  /opentelemetry-instrument(?!ation)|auto_instrumentation|opentelemetry\.instrumentation\s+import|entry_points|\binitialize\s*\(|importlib/;

const importsTelemetry =
  /^\s*(?:import|from)\s+(?!opentelemetry\b)(\w*(?:telemetry|trac|observ|otel|instrument|monitor)\w*)/gim;

/** Whether the code sets up each instrumentation by name. False where code that was read loads all of them, or unread code may set up others. */
export function areSetUpByName(project: Project, code: readonly SourceFile[]): boolean {
  const isRead = (module: string) =>
    project.sources.some(
      ({ path }) => `/${path}`.endsWith(`/${module}.py`) || `/${path}`.includes(`/${module}/`),
    );
  return (
    code.some(({ text }) => byName.test(text)) &&
    !project.mentions(loadsAll) &&
    !project.sources.some(({ text }) => byValue.test(text)) &&
    code.every(({ text }) => [...text.matchAll(importsTelemetry)].every(([, module = '']) => isRead(module)))
  );
}
