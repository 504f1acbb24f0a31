import * as z from 'zod';
import { edgeProtocols } from '../src/calls/call-group.ts';
import { findingIds } from '../src/rules/finding.ts';
import { spanKinds } from '../src/span/span.ts';

const count = z.int().nonnegative().meta({ id: 'count' });
const list = <Item extends z.ZodType>(item: Item) => z.array(item).readonly();
const service = z.string().nullable();
const ids = { traceId: z.string(), spanId: z.string() };
const finding = z.enum(findingIds).meta({ id: 'finding' });
const protocol = z.enum(edgeProtocols).meta({ id: 'protocol' });
const severity = z.enum(['error', 'warning', 'info']).meta({ id: 'severity' });
const confidence = z.enum(['certain', 'likely', 'undecided']).meta({ id: 'confidence' });

const acceptance = { known: z.literal(true).exactOptional(), tolerated: z.literal(true).exactOptional() };

const past = z.strictObject({ service, calls: count }).meta({ id: 'past' });

const resultShape = z.strictObject({
  version: z.literal(1),
  verdict: z.enum(['intact', 'broken', 'unknown']),
  traces: count,
  spans: count,
  edges: list(
    z.strictObject({
      client: service,
      server: service,
      protocol,
      calls: count,
      broken: count,
      unjudged: count.exactOptional(),
      doubtful: count.exactOptional(),
      openOnBothSides: z.literal(true).exactOptional(),
      ...acceptance,
      past: past.exactOptional(),
    }),
  ),
  findings: list(
    z.strictObject({
      id: finding,
      severity,
      client: service,
      server: service,
      protocol,
      confidence,
      count,
      symptom: finding.exactOptional(),
      candidates: list(finding).exactOptional(),
      facts: list(z.string()).exactOptional(),
      peer: z.string().exactOptional(),
      ended: z
        .strictObject({
          failed: count.exactOptional(),
          unavailable: count.exactOptional(),
          aborted: count.exactOptional(),
          answered: count.exactOptional(),
        })
        .exactOptional(),
      evidence: list(
        z.strictObject({
          ...ids,
          server: z.strictObject(ids).exactOptional(),
          during: z.strictObject(ids).exactOptional(),
          says: z.string(),
        }),
      ),
      project: list(
        z.strictObject({ check: z.string(), file: z.string(), line: count, column: count, says: z.string() }),
      ).exactOptional(),
      scopes: z.strictObject({ client: list(z.string()), server: list(z.string()) }),
      fix: z.string(),
      doubt: z.string().exactOptional(),
      decide: list(z.string()).exactOptional(),
      docs: z.string(),
      ...acceptance,
    }),
  ),
  undecided: list(
    z.strictObject({
      client: service,
      server: service,
      protocol: protocol.exactOptional(),
      says: z.string(),
      finding: finding.exactOptional(),
    }),
  ).exactOptional(),
  unjudged: list(
    z.strictObject({
      client: service,
      peer: z.string(),
      calls: count,
      protocol: z.literal('messaging').exactOptional(),
      mayBe: list(z.string()).exactOptional(),
      why: z
        .enum([
          'cached-answer',
          'dropped-links',
          'unseen-hop',
          'after-request',
          'short-batch',
          'linked-elsewhere',
          'waiting',
        ])
        .exactOptional(),
      server: z.string().exactOptional(),
      facts: list(z.string()).exactOptional(),
      began: count.exactOptional(),
      late: count.exactOptional(),
    }),
  ).exactOptional(),
  unshownBaggage: list(z.string()).exactOptional(),
  explain: list(
    z.strictObject({
      ...ids,
      service,
      kind: z.enum(spanKinds),
      name: z.string(),
      reasons: list(z.strictObject({ finding, gate: z.string(), values: z.string() })),
      unjudged: z.string().exactOptional(),
    }),
  ).exactOptional(),
});

const details = {
  source: z.string(),
  reason: z.string().nullable(),
  notes: list(z.string()),
  collector: z
    .strictObject({
      name: z.string(),
      accepted: count,
      refused: count,
      sent: count,
      sendFailed: count,
      enqueueFailed: count,
    })
    .nullable(),
};

/** The JSON report, version 1; the source of `report.schema.json`. Strict, so that a test finds a field that this shape lacks. */
export const reportShape = z.strictObject({
  ...resultShape.shape,
  ...details,
  requests: z.strictObject({ sent: count, failed: count, failures: list(z.string()) }).exactOptional(),
  search: z.strictObject({ service: z.string(), limit: count, limitReached: z.boolean() }).exactOptional(),
  failOn: z.literal('warning').exactOptional(),
  command: z.strictObject({ name: z.string(), exitCode: count }).exactOptional(),
});

const share = z.number().min(0).max(1);
const rate = z
  .strictObject({ intact: count, of: count, value: share, low: share, high: share })
  .meta({ id: 'rate' });
const time = z.iso.datetime().meta({ id: 'time' });
const place = { client: service, server: service, protocol };
const window = z
  .strictObject({
    from: time.nullable(),
    to: time.nullable(),
    traces: count,
    spans: count,
    seen: z.strictObject({ complete: z.boolean(), says: z.string() }),
  })
  .meta({ id: 'window' });

/** The JSON report of `audit`, version 1; the source of `audit.schema.json`. */
export const auditShape = z.strictObject({
  kind: z.literal('audit'),
  version: z.literal(1),
  outcome: z.enum(['passed', 'failed', 'unknown']),
  window,
  before: window.nullable(),
  lastRun: time.nullable(),
  failUnder: share.nullable(),
  edges: list(
    z.strictObject({
      ...place,
      calls: count,
      broken: count,
      unjudged: count.exactOptional(),
      doubtful: count.exactOptional(),
      openOnBothSides: z.literal(true).exactOptional(),
      suspected: count,
      ...acceptance,
      past: past.exactOptional(),
      rate: rate.nullable(),
      trend: z.strictObject({ before: rate, change: z.enum(['better', 'worse', 'unproven']) }).nullable(),
      causes: list(
        z.strictObject({
          id: finding,
          severity,
          confidence,
          candidates: list(finding).exactOptional(),
          count,
          ...acceptance,
          isNew: z.literal(true).exactOptional(),
          examples: list(z.strictObject(ids)),
        }),
      ),
      isNew: z.literal(true).exactOptional(),
      gone: list(finding).exactOptional(),
      below: z.enum(['proven', 'unproven']).exactOptional(),
    }),
  ),
  vanished: list(z.strictObject(place)),
  result: resultShape,
  ...details,
});
