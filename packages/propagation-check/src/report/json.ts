import type { CollectorCounters } from '../span/collector-counters.ts';
import { escapeJson } from '../util/escape-json.ts';
import type { Result } from '../verdict/result.ts';

/** Facts beside the result; part of the JSON report, version 1. */
export interface ReportDetails {
  /** Where the spans were read: `jaeger=http://localhost:16686`. */
  readonly source: string;
  /** Why the verdict is `unknown`, and what to do; null when there is a verdict. */
  readonly reason: string | null;
  /** Notes on how the result came about. */
  readonly notes: readonly string[];
  /** Null where no Collector was asked. */
  readonly collector: CollectorCounters | null;
  /** Those that the check sent itself, or that a command sent as far as its spans show them. */
  readonly requests?: RequestCounts;
  /** Where the traces were searched for. */
  readonly search?: SearchExtent;
  /** Where warnings fail too. */
  readonly failOn?: 'warning';
  /** Where a command caused the traces. */
  readonly command?: CommandEnd;
}

/** The end of the command of `exec`. */
export interface CommandEnd {
  /** Without its arguments, which may hold secrets. */
  readonly name: string;
  /** 128 + its number for a signal. */
  readonly exitCode: number;
}

/** The requests of `run`. */
export interface RequestCounts {
  readonly sent: number;
  /** Without an answer, or with one of status 400 or more. */
  readonly failed: number;
  /** How, each with its number. */
  readonly failures: readonly string[];
}

/** The search of `trace --service`. */
export interface SearchExtent {
  readonly service: string;
  /** Of traces. */
  readonly limit: number;
  /** So many traces were found, so that there may be older ones. */
  readonly limitReached: boolean;
}

/**
 * The result as it is, and the details beside it, so escaped that a log stays whole.
 *
 * @param docsRoot The folder that holds `docs/findings`, as seen from the reader: an installed package has the pages in `dist`.
 */
export function renderJson(result: Result, details: ReportDetails, docsRoot = ''): string {
  const { source, reason, notes, collector, requests, search, failOn, command } = details;
  const findings = result.findings.map((finding) => ({ ...finding, docs: `${docsRoot}${finding.docs}` }));
  const report = { ...result, findings, source, reason, notes, collector, requests, search, failOn, command };
  return `${escapeJson(JSON.stringify(report, null, 2))}\n`;
}
