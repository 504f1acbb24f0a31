import type { Span } from '../span/span.ts';
import type { Result } from '../verdict/result.ts';
import type { ReportDetails } from './json.ts';
import type { FindingOptions } from './terminal-findings.ts';

/** The input of every report. */
export interface ReportInput {
  readonly result: Result;
  readonly details: ReportDetails;
  readonly options: FindingOptions;
  /** Picks whole traces for reports that draw them, at most this many spans; traces in the evidence of findings come first. */
  readonly pickSpans: (most: number) => readonly Span[];
  /** The script of the HTML report. */
  readonly readPageScript: () => Promise<string>;
}

export interface Report {
  readonly render: (input: ReportInput) => Promise<string>;
  /** The report is for a program that reads a file, and is never printed. */
  readonly isFile?: boolean;
  /** The report is for a program that reads the log, and is printed below the report for people. */
  readonly isBeside?: boolean;
}

/** More spans make a page slow to load. */
const mostSpansInPage = 50_000;
/** The diagrams show calls of a few traces. */
const mostSpansInDiagrams = 10_000;

/** The reports, by the names that `--report` takes. Each is loaded when it is asked for. */
export const reports = {
  tree: {
    render: async ({ result, details, options, pickSpans }) => {
      const { renderTree } = await import('./tree.ts');
      return inLocale(renderTree(result, details, pickSpans(mostSpansInDiagrams), options), options);
    },
  },
  terminal: {
    render: async ({ result, details, options }) => {
      const { renderTerminal } = await import('./terminal.ts');
      return inLocale(renderTerminal(result, details, options), options);
    },
  },
  json: {
    render: async ({ result, details, options }) =>
      (await import('./json.ts')).renderJson(result, details, options.docsRoot),
  },
  html: {
    isFile: true,
    render: async ({ result, details, pickSpans, readPageScript }) => {
      const { renderHtml } = await import('./html/render-html.ts');
      return renderHtml(result, details, pickSpans(mostSpansInPage), await readPageScript());
    },
  },
  junit: {
    render: async ({ result, details, options }) =>
      (await import('./junit.ts')).renderJunit(result, details, options),
  },
  github: {
    isBeside: true,
    render: async ({ result, details, options }) =>
      (await import('./github.ts')).renderGithub(result, details, options),
  },
  markdown: {
    render: async ({ result, details, options, pickSpans }) =>
      (await import('./markdown.ts')).renderMarkdown(
        result,
        details,
        options,
        pickSpans(mostSpansInDiagrams),
      ),
  },
} as const satisfies Record<string, Report>;

async function inLocale(text: string, { ascii = false }: FindingOptions): Promise<string> {
  return ascii ? (await import('./to-ascii.ts')).toAscii(text) : text;
}

export type ReportName = keyof typeof reports;

export const reportNames = Object.keys(reports).filter((name): name is ReportName => name in reports);
