import { isBuiltin } from 'node:module';
import type { NodeUnit } from './node-unit.ts';
import { allInstrumentations, httpInstrumentation } from './patched-modules.ts';
import { type Import, resolveImport, type SourceFile } from './source-file.ts';

/** A load of a module, in its source. */
export interface Load {
  readonly source: SourceFile;
  readonly each: Import;
}

/**
 * Whether a `require` of Node's `http` or `https` that runs before the SDK leaves the program with functions that send no header.
 * The instrumentation patches the module in place, when somebody loads it for the first time after the instrumentation was created:
 * a function that was taken out before stays as it was, and the others too where nobody loads the module again.
 *
 * @param before What is loaded before the SDK is set up.
 * @param started The sources that the program consists of.
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
  // A program that injects the header itself needs no instrumentation.
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

/** Names that a pattern takes out of the module, also under another name: `get`, `request: send`. */
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

/** A package may load `http`, and so may a source that is not at hand; what was loaded before the SDK does not load it again. */
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
