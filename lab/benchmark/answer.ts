import { readFileSync } from 'node:fs';
import type { Result } from 'propagation-check';
import { UsageError } from 'propagation-check/kit';
import { z } from 'zod';

const edgeSchema = z.object({
  client: z.string().nullable(),
  server: z.string().nullable(),
  verdict: z.enum(['intact', 'broken']),
  cause: z.string().nullable().optional(),
  candidates: z.array(z.string()).optional(),
});

const answersSchema = z.object({
  tool: z.string().min(1),
  captures: z.record(z.string(), z.object({ edges: z.array(edgeSchema) })),
});

/** A tool's answer about one edge between two services; null stands for a service that the tool does not know. */
export type EdgeAnswer = z.infer<typeof edgeSchema>;

/** A tool's answers, by the names of the captures. The README of the corpus documents the format. */
export type Answers = z.infer<typeof answersSchema>;

/** @throws {UsageError} when the file cannot be read, or has another format. */
export function readAnswers(path: string): Answers {
  try {
    return answersSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    const reason =
      error instanceof z.ZodError
        ? z.prettifyError(error)
        : error instanceof Error
          ? error.message
          : String(error);
    throw new UsageError(`--score ${path}: ${reason}; corpus/README.md shows the format`);
  }
}

/** This checker's own answer: its errors, and the edges without errors. */
export function toAnswer({ edges, findings }: Result): readonly EdgeAnswer[] {
  const errors = findings.filter(({ severity }) => severity === 'error');
  return [
    ...errors.map(({ id, client, server, candidates }) => ({
      client,
      server,
      verdict: 'broken' as const,
      ...(candidates === undefined ? { cause: id } : { candidates: [...candidates] }),
    })),
    ...edges
      .filter(({ broken }) => broken === 0)
      .map(({ client, server }) => ({ client, server, verdict: 'intact' as const })),
  ];
}
