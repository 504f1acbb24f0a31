import { isBuiltin } from 'node:module';
import type { NodeUnit } from './node-unit.ts';
import { allInstrumentations, httpInstrumentation } from './patched-modules.ts';
import { type Import, resolveImport, type SourceFile } from './source-file.ts';

/** An import of a module, with the source that contains it. */
export interface Load {
  readonly source: SourceFile;
  readonly each: Import;
}

/**
 * Whether a `require` of Node.js's `http` or `https` before the SDK leaves the program with functions that send no header. The instrumentation
 * patches the module in place at the first load after it was created. A function that was destructured before stays unpatched. The other
 * functions stay unpatched only where nothing loads the module again.
 *
 * @param before What is loaded before the SDK is set up.
 * @param started The sources of the program.
 */
export function isLateHttp(
  { source, each }: Load,
  unit: NodeUnit,
  before: readonly Load[],
  started: readonly SourceFile[],
): boolean {
  const { dependencies } = unit;
  if (each.kind !== 'require' || !/^(?:node:)?https?$/.test(each.from)) return false;
  if (!dependencies.has(allInstrumentations) && !dependencies.has(httpInstrumentation)) return false;
  // A program that injects the context itself needs no instrumentation.
  if (started.some(({ text }) => /\bpropagation\s*\.\s*inject\s*\(/.test(text))) return false;
  const bound = /\b(?:const|let|var)\s+(?:\{([^{}]*)\}|([\w$]+))\s*=\s*$/.exec(
    source.text.slice(0, each.offset),
  );
  const [, taken, whole] = bound ?? [];
  if (taken !== undefined && callsTaken(source, taken, /^(?:get|request)$/)) return true;
  const isUsed =
    taken === undefined
      ? whole !== undefined && calls(source, `${escapeName(whole)}\\s*\\.\\s*(?:get|request|createServer)`)
      : callsTaken(source, taken, /^createServer$/);
  return isUsed && !mayLoadAgain(unit, before, started);
}

/** Whether a function that is destructured from the module is called, also under another name: `get`, `request: send`. */
function callsTaken(source: SourceFile, taken: string, functions: RegExp): boolean {
  return taken.split(',').some((part) => {
    const [, name = '', alias = name] = /^\s*(\w+)\s*(?::\s*([\w$]+))?\s*$/.exec(part) ?? [];
    return functions.test(name) && calls(source, escapeName(alias));
  });
}

function calls({ text }: SourceFile, callee: string): boolean {
  return new RegExp(`(?<![\\w$.])${callee}\\s*\\(`).test(text);
}

function escapeName(name: string): string {
  return name.replaceAll('$', '\\$');
}

/** Whether anything may load `http` later: an import, a package, or a source that was not read. Loads before the SDK do not count. */
function mayLoadAgain(unit: NodeUnit, before: readonly Load[], started: readonly SourceFile[]): boolean {
  const done = new Set(before.map(({ each }) => each));
  return started.some(
    (source) =>
      /\b(?:require|import)\(\s*[^\s'")]/.test(source.text) ||
      source.imports.some(
        (each) =>
          !done.has(each) &&
          (isBuiltin(each.from)
            ? /^(?:node:)?https?$/.test(each.from)
            : resolveImport(source, each, unit.sources) === null),
      ),
  );
}
