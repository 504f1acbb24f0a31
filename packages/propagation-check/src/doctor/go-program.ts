import { dirname } from 'node:path/posix';
import { findOwner } from './node-unit.ts';
import type { Project } from './project.ts';
import type { SourceFile } from './source-file.ts';

/** A Go module with a `main`. Libraries are left out, because their users set up the SDK. */
export interface GoProgram {
  /** Without generated code. */
  readonly sources: readonly SourceFile[];
  readonly mentions: (text: RegExp) => boolean;
}

export function listGoPrograms({ ofKind, sources }: Project): readonly GoProgram[] {
  const modules = ofKind('go.mod').map(({ path }) => ({ folder: dirname(path) }));
  // Source: Go, "go generate": this line marks generated code.
  const generated = new Set(
    ofKind('go').flatMap(({ path, text }) =>
      /^\/\/ Code generated .* DO NOT EDIT\.$/m.test(text) ? [path] : [],
    ),
  );
  const written = sources.filter(({ path }) => path.endsWith('.go') && !generated.has(path));
  return modules
    .map(({ folder }) => {
      const own = written.filter(({ path }) => findOwner(path, modules)?.folder === folder);
      return {
        sources: own,
        mentions: (pattern: RegExp) => own.some((source) => pattern.test(source.text)),
      };
    })
    .filter(({ mentions }) => mentions(/^package main$/m));
}

export const setsProvider = /\botel\.SetTracerProvider\s*\(/;
