import { z } from 'zod';
import { findingIds } from '../../src/rules/finding.ts';

const edge = z.strictObject({
  client: z.string().nullable(),
  server: z.string().nullable(),
  protocol: z.enum(['http', 'rpc', 'messaging', 'mcp', 'internal']),
  calls: z.int(),
  broken: z.int(),
  unjudged: z.int().exactOptional(),
  doubtful: z.int().exactOptional(),
  past: z.strictObject({ service: z.string().nullable(), calls: z.int() }).exactOptional(),
});

const finding = z.strictObject({
  id: z.enum(findingIds),
  severity: z.enum(['error', 'warning', 'info']),
  client: z.string().nullable(),
  server: z.string().nullable(),
  confidence: z.enum(['certain', 'likely', 'undecided']),
  count: z.int(),
  candidates: z.array(z.enum(findingIds)).exactOptional(),
});

const outcome = z.strictObject({
  verdict: z.enum(['intact', 'broken', 'unknown']),
  edges: z.array(edge),
  findings: z.array(finding),
});

export type Outcome = z.infer<typeof outcome>;

/** The results that a drawing must give: of all its evidence, and of its spans alone. */
export interface Expected {
  readonly all: Outcome;
  readonly spansAlone: Outcome;
}

/**
 * Reads the end of a drawing. The block `from spans alone` is there only where that result differs.
 *
 *     gives broken
 *       edge web -> orders http: 3 calls, 2 broken, 1 past proxy
 *       error split-trace web -> orders undecided 2 of header-stripped header-not-sent
 *     gives unknown from spans alone
 */
export function readExpected(text: string): Expected {
  const [, ...blocks] = text.split(/^gives /m);
  const [all, spansAlone, ...more] = blocks.map(readOutcome);
  const isSecondAlone = blocks.every((block, at) => / from spans alone$/m.test(block) === (at === 1));
  if (all === undefined || more.length > 0 || !isSecondAlone) {
    throw new Error('a drawing ends with "gives VERDICT", and perhaps "gives VERDICT from spans alone"');
  }
  return { all, spansAlone: spansAlone ?? all };
}

function readOutcome(block: string): Outcome {
  const [head = '', ...lines] = block.trimEnd().split('\n');
  const edges = lines.filter((line) => line.startsWith('  edge '));
  return outcome.parse({
    verdict: head.replace(/ from spans alone$/, ''),
    edges: edges.map(readEdge),
    findings: lines.filter((line) => !edges.includes(line)).map(readFinding),
  });
}

function readEdge(line: string): unknown {
  const [, client, server, protocol, counts = ''] = /^ {2}edge (\S+) -> (\S+) (\w+): (.+)$/.exec(line) ?? [];
  const named = counts.split(', ').map((text) => {
    const [count, what = '', service] = text.split(' ');
    const calls = Number(count);
    return [what, service === undefined ? calls : { service: readService(service), calls }];
  });
  return {
    client: readService(client),
    server: readService(server),
    protocol,
    ...Object.fromEntries(named),
  };
}

function readFinding(line: string): unknown {
  const [, severity, id, client, server, confidence, count, candidates] =
    /^ {2}(\w+) (\S+) (\S+) -> (\S+) (\w+) (\d+)(?: of (.+))?$/.exec(line) ?? [];
  return {
    id,
    severity,
    client: readService(client),
    server: readService(server),
    confidence,
    count: Number(count),
    ...(candidates === undefined ? {} : { candidates: candidates.split(' ') }),
  };
}

/** A missing service is `-`, as in a drawing. */
function readService(word: string | undefined): string | null | undefined {
  return word === '-' ? null : word;
}
