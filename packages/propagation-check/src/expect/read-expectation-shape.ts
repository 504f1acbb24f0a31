import * as z from 'zod';

const service = z.string('expected the name of a service').min(1, 'the name of a service is empty');

const edge = z
  .strictObject({
    client: service.describe('service.name of the caller'),
    server: service.describe('service.name of the called service'),
  })
  .describe('One edge, for services whose names contain an arrow.');

const path = z
  .string()
  .regex(
    /^(?!\s*(?:->|→))(?!.*(?:->|→)\s*(?:->|→|$)).+(?:->|→)/,
    'expected services with arrows between them: a -> b -> c',
  )
  .describe('A path of services: "a -> b -> c" means the edges a -> b and b -> c.');

/**
 * A union reports only that no option fits, so the arrow's message is given here. Described where it is used, because editors show the
 * description of the definition.
 */
const item = z.union([path, edge], 'expected a path such as "a -> b -> c", or client and server');

const edges = z.array(item).meta({ id: 'edges' });

/** The content of an expectations file. `expectation.schema.json` is generated from it. */
export const expectationShape = z
  .strictObject({
    edges: z
      .strictObject({
        must: edges.optional().describe('Edges that must exist. It is an error when one is missing.'),
        may: edges
          .optional()
          .describe('Edges that may exist. Whoever else calls the same service is not its caller.'),
        'must-not': edges.optional().describe('Edges that must not exist. It is an error when one does.'),
      })
      .optional()
      .describe('Which service calls which.'),
    baggage: z
      .record(
        z.string().min(1, 'the key of a baggage entry is empty'),
        z.string('expected text; put the value in quotes'),
      )
      .optional()
      .describe('Baggage entries that must arrive on every edge whose headers were seen.'),
    'tolerated-peers': z
      .array(z.string('expected the name or the address of a peer').min(1, 'the name of a peer is empty'))
      .optional()
      .describe('Hosts, host:port or service names that emit no spans, on purpose.'),
    traceresponse: z
      .array(service)
      .optional()
      .describe(
        'Services that name their SERVER span in every answer (traceresponse, or traceparent in Server-Timing).',
      ),
  })
  .meta({
    title: 'Expectations of propagation-check',
    description: 'What must, may and must not be in the traces of a system.',
  });

const readableEdges = z.array(item.nullable().catch(null)).catch([]);

const noEdges = { must: [], may: [], 'must-not': [] };

/** The readable edges of a document, whatever else is wrong in it; null for an edge that cannot be read. */
export const readableShape = z
  .object({
    edges: z.object({ must: readableEdges, may: readableEdges, 'must-not': readableEdges }).catch(noEdges),
  })
  .catch({ edges: noEdges });

export type ExpectationDocument = z.infer<typeof expectationShape>;
