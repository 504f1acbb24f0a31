import type { CollectorCounters } from '../collector-counters.ts';
import { escapeJson } from '../escape-json.ts';
import type { Result } from '../result.ts';

/** What is known beside the result; part of the JSON report, version 1. */
export interface ReportDetails {
  /** Where the spans were read: `jaeger=http://localhost:16686`. */
  readonly source: string;
  /** Why the verdict is `unknown`, and what to do; null when there is a verdict. */
  readonly reason: string | null;
  /** What a reader must know about how the result came about. */
  readonly notes: readonly string[];
  /** Null where no Collector was asked. */
  readonly collector: CollectorCounters | null;
}

/** The result as it is, and the details beside it, so escaped that a log stays whole. */
export function renderJson(result: Result, { source, reason, notes, collector }: ReportDetails): string {
  return `${escapeJson(JSON.stringify({ ...result, source, reason, notes, collector }, null, 2))}\n`;
}
