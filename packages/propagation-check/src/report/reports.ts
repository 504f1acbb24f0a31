import type { Span } from '../span/span.ts';
import type { Result } from '../verdict/result.ts';
import type { ReportDetails } from './json.ts';
import type { FindingOptions } from './terminal-findings.ts';

/** The input of every report. */
export interface ReportInput {
  readonly result: Result;
  readonly details: ReportDetails;
  readonly options: FindingOptions;
  /** Whole traces for reports that draw them, at most so many spans, those that findings name first. */
  readonly pickSpans: (most: number) => readonly Span[];
  /** The script of the HTML report. */
  readonly readPageScript: () => Promise<string>;
}

export interface Report {
  readonly render: (input: ReportInput) => Promise<string>;
  /** It is for a program that reads a file: it is not printed. */
  readonly isFile?: boolean;
  /** It is for a program that reads a log: it is printed below the report for people. */
  readonly isBeside?: boolean;
}

/** More make a page slow to load. */
const mostSpansInPage = 50_000;
/** A diagram shows calls of a few traces. */
const mostSpansInDiagrams = 10_000;

/** By the names that `--report` takes. Each is loaded when it is asked for. */
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
