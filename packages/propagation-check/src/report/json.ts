import type { CollectorCounters } from '../span/collector-counters.ts';
import { escapeJson } from '../util/escape-json.ts';
import type { Result } from '../verdict/result.ts';

/** Facts in addition to the result; part of the JSON report, version 1. */
export interface ReportDetails {
  /** Where the spans were read: `jaeger=http://localhost:16686`. */
  readonly source: string;
  /** Why the verdict is `unknown`, and what to do; otherwise null. */
  readonly reason: string | null;
  /** Notes on how the result came about. */
  readonly notes: readonly string[];
  /** Null where no Collector was asked. */
  readonly collector: CollectorCounters | null;
  /** The requests that the check sent itself, or those of a command, counted by their spans. */
  readonly requests?: RequestCounts;
  /** The search that found the traces. */
  readonly search?: SearchExtent;
  /** Present where warnings fail too. */
  readonly failOn?: 'warning';
  /** The command that caused the traces. */
  readonly command?: CommandEnd;
}

/** How the command of `exec` ended. */
export interface CommandEnd {
  /** Without its arguments, which may hold secrets. */
  readonly name: string;
  /** 128 + the number of the signal where one ended the command. */
  readonly exitCode: number;
}

/** Counts of requests. */
export interface RequestCounts {
  readonly sent: number;
  /** Requests without an answer, or with a status of 400 or more. */
  readonly failed: number;
  /** Each kind of failure, with its count. */
  readonly failures: readonly string[];
}

/** The search of `trace --service`. */
export interface SearchExtent {
  readonly service: string;
  /** The most traces that the search returns. */
  readonly limit: number;
  /** The search returned this many traces, so there may be older ones. */
  readonly limitReached: boolean;
}

/**
 * The result with the details, escaped for build logs.
 *
 * @param docsRoot The folder of `docs/findings`, relative to the reader: an installed package has the pages in `dist`.
 */
export function renderJson(result: Result, details: ReportDetails, docsRoot = ''): string {
  const { source, reason, notes, collector, requests, search, failOn, command } = details;
  const findings = result.findings.map((finding) => ({ ...finding, docs: `${docsRoot}${finding.docs}` }));
  const report = { ...result, findings, source, reason, notes, collector, requests, search, failOn, command };
  return `${escapeJson(JSON.stringify(report, null, 2))}\n`;
}
