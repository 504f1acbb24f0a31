import { dirname } from 'node:path/posix';
import { findOwner } from './node-unit.ts';
import type { Project } from './project.ts';
import type { SourceFile } from './source-file.ts';

export interface GoModule {
  readonly folder: string;
  readonly requires: (path: string) => boolean;
  readonly sources: readonly SourceFile[];
  readonly mentions: (text: RegExp) => boolean;
}

export function listGoModules({ ofKind, sources }: Project): readonly GoModule[] {
  const modules = ofKind('go.mod').map((file) => ({ folder: dirname(file.path), text: file.text }));
  return modules.map(({ folder, text }) => {
    const own = sources.filter(
      ({ path }) => path.endsWith('.go') && findOwner(path, modules)?.folder === folder,
    );
    return {
      folder,
      requires: (path) =>
        new RegExp(`^\\s*(?:require\\s+)?${path.replaceAll('.', '\\.')}\\s+v`, 'm').test(text),
      sources: own,
      mentions: (pattern) => own.some((source) => pattern.test(source.text)),
    };
  });
}

/** A module of the project that uses another's set-up cannot be judged by itself. */
export const setsProvider = /\botel\.SetTracerProvider\s*\(/;
