import { isBuiltin } from 'node:module';
import { readVersion } from './installed-packages.ts';
import type { NodeUnit } from './node-unit.ts';
import { allInstrumentations, httpInstrumentation, requireHttp } from './patched-modules.ts';
import type { Project } from './project.ts';
import { type Import, resolveImport, type SourceFile } from './source-file.ts';

/**
 * When the instrumentation covers an import of Node.js's `http` or `https` in an ES module that runs without a loader hook. It patches the
 * module in place, at the first `require` of it after the SDK has started.
 *
 * - `never`: functions that the import has copied: `{ get }`, and those of a namespace.
 * - `after-require`: servers, which are patched on their prototype, and functions of the default import.
 * - `unused`: the program neither calls nor serves with it.
 */
type Patched = 'never' | 'after-require' | 'unused';

const isHttp = ({ from, kind }: Import): boolean => kind === 'import' && /^(?:node:)?https?$/.test(from);

export function whenPatched({ text }: SourceFile, each: Import): Patched {
  if (!isHttp(each)) return 'unused';
  const [, taken = ''] = /\{([^{}]*)\}/.exec(each.names) ?? [];
  if (/\b(?:request|get)\b/.test(taken)) return 'never';
  const [, namespace] = /\*\s*as\s+([\w$]+)/.exec(each.names) ?? [];
  if (namespace !== undefined && isCalled(text, namespace, 'request|get')) return 'never';
  const [, whole = namespace] = /^\s*([\w$]+)/.exec(each.names) ?? [];
  const serves = whole !== undefined && isCalled(text, whole, 'request|get|createServer');
  return serves || (/\bcreateServer\b/.test(taken) && /(?<![\w$.])createServer\s*\(/.test(text))
    ? 'after-require'
    : 'unused';
}

function isCalled(text: string, module: string, functions: string): boolean {
  return new RegExp(`(?<![\\w$.])${module.replaceAll('$', '\\$')}\\s*\\.\\s*(?:${functions})\\s*\\(`).test(
    text,
  );
}

/**
 * Whether the program requires `http` after the SDK has started: `unknown` where it imports packages that may do so, or its exporter does so
 * at the first export.
 */
export function requiresHttp(
  project: Project,
  unit: NodeUnit,
  sources: readonly SourceFile[],
): 'yes' | 'unknown' | 'no' {
  const imports = sources.flatMap((source) =>
    source.imports.map((each) => ({ ...each, isOwn: resolveImport(source, each, unit.sources) !== null })),
  );
  if (sources.some(({ text }) => /\b(?:require|import)\(\s*[^\s'")]/.test(text))) return 'unknown';
  if (imports.some(({ from, kind }) => kind === 'require' && /^(?:node:)?https?$/.test(from))) return 'yes';
  const others = imports.filter(({ from, isOwn }) => !isOwn && !isBuiltin(from) && !isHarmless(from));
  if (others.some(({ from }) => requireHttp.has(from))) return 'yes';
  return others.length === 0 && !exportRequiresHttp(project, unit) ? 'no' : 'unknown';
}

/** The first versions whose OTLP exporters over HTTP import `http` instead of requiring it. */
const importingExporters: ReadonlyMap<string, number> = new Map([
  ['@opentelemetry/sdk-node', 204],
  ['@opentelemetry/exporter-trace-otlp-http', 204],
  ['@opentelemetry/exporter-trace-otlp-proto', 204],
  [allInstrumentations, 63],
]);

const overGrpc =
  /OTEL_EXPORTER_OTLP_(?:\w+_)?PROTOCOL["']?[\s:=,]*(?:value:\s*)?["']?grpc\b|exporter-\w+-otlp-grpc/;

function exportRequiresHttp({ mentions }: Project, { dependencies, installed, folder }: NodeUnit): boolean {
  return (
    mentions(overGrpc) ||
    [...importingExporters].some(([name, first]) => {
      const requested = dependencies.get(name)?.value;
      const version = installed?.resolveFrom(folder, name)?.version ?? requested;
      if (requested === undefined || version === undefined) return false;
      const read = readVersion(version);
      return read !== null && read.major === 0 && read.minor < first;
    })
  );
}

/** Packages of OpenTelemetry load `http` before the SDK starts, or only import it. */
function isHarmless(from: string): boolean {
  return from.startsWith('@opentelemetry/') || from.endsWith('.json');
}

/** Whether the program reads and writes the headers itself, so that it needs no patched `http`. */
export function propagatesItself(sources: readonly SourceFile[]): boolean {
  return sources.some(({ text }) => /\bpropagation\s*\.\s*(?:inject|extract)\s*\(/.test(text));
}

export function isHttpInstrumented({ dependencies }: NodeUnit): boolean {
  return dependencies.has(allInstrumentations) || dependencies.has(httpInstrumentation);
}
