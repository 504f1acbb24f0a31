import * as z from 'zod';
import { expectationShape } from '../expect/read-expectation-shape.ts';
import { type Report, reportNames, reports } from '../report/reports.ts';
import { allSpecs } from '../source/source-specs.ts';
import { durationExamples } from '../util/read-duration.ts';

const text = (what: string) => z.string(`expected ${what}`).min(1, `empty; expected ${what}`);
const file = text('the path of a file');
const url = text('an http:// or https:// URL').regex(/^https?:\/\/./i, 'expected an http:// or https:// URL');
const time = text(`a time with its unit: ${durationExamples}`);
const count = z.int('expected a whole number').min(1, 'expected 1 or more');
const someOf = <Item extends z.ZodType>(item: Item, what: string) =>
  z.union([item, z.array(item)], `expected ${what}, or a list of such`);

const target = z
  .union([file, z.literal(true)], 'expected the path of a file, or true to print it')
  .meta({ id: 'target' });
const targets = Object.fromEntries(
  reportNames.map((name) => [name, (isFile(reports[name]) ? file : target).optional()]),
);

function isFile({ isFile = false }: Report): boolean {
  return isFile;
}

/** The shape of `propagation-check.yaml`, from which `configuration.schema.json` is generated. */
export const configurationShape = z
  .strictObject({
    source: text(`a source: ${allSpecs.join(', ')}`)
      .optional()
      .describe(
        'Where the spans are: jaeger=URL, tempo=URL, otlp=HOST:PORT, file=PATH or clickhouse=URL. For run, trace, watch and audit; for exec only otlp, and clickhouse only for audit.',
      ),
    expectations: z
      .union([file, expectationShape], 'expected the path of an expectations file, or its content')
      .optional()
      .describe(
        'What must, may and must not be in the traces: as in an expectations file, or the path of one.',
      ),
    'tolerated-peers': expectationShape.shape['tolerated-peers'],
    reports: z
      .strictObject(targets)
      .optional()
      .describe('Reports by name: the file to write, or true to print it.'),
    baseline: file
      .optional()
      .describe('The file of what is known to be broken, written by --update-baseline.'),
    'fail-on': z
      .enum(['error', 'warning'], 'expected error or warning')
      .optional()
      .describe('The least severity that gives exit code 1.'),
    'allow-failed-requests': z
      .boolean('expected true or false')
      .optional()
      .describe('Judge the traces alone, also when requests fail. For run and exec.'),
    wire: someOf(file, 'the path of a file')
      .optional()
      .describe('Records of propagation-check tap, or a pcap of plain HTTP.'),
    'collector-metrics': url
      .optional()
      .describe("The Collector's own metrics: http://localhost:8888/metrics"),
    ca: file.optional().describe('PEM file with a certificate authority to trust.'),
    timeout: time.optional().describe('How long one answer may take: 15s'),
    wait: time.optional().describe('How long spans may take to arrive: 30s'),
    settle: time.optional().describe('Judge what is missing when no span has come for so long: 6s'),
    run: z
      .strictObject({
        url: someOf(url, 'an http:// or https:// URL')
          .optional()
          .describe('What to request, where the command line names nothing.'),
        method: text('a method such as GET')
          .optional()
          .describe('GET, or POST with data, unless it is given.'),
        'request-header': someOf(text('"name: value"'), '"name: value"')
          .optional()
          .describe('Sent to the URL. No place for secrets.'),
        data: z.string('expected text; put it in quotes').optional().describe('Body of each request.'),
        requests: count.optional().describe('How many, to each URL.'),
        concurrency: count.optional().describe('How many at a time.'),
        service: someOf(text('the name of a service'), 'the name of a service')
          .optional()
          .describe('Search for traces that this service begins during the requests.'),
      })
      .optional()
      .describe('What the command run sends.'),
    audit: z
      .strictObject({
        since: time.optional().describe('The length of the window: 1h'),
        every: time.optional().describe('Audit again after so long: 1m'),
        'fail-under': text('a share in percent such as 99.5%')
          .optional()
          .describe('Fail where fewer calls of an edge are intact: 99.5%'),
        state: file.optional().describe('What the last run saw; read and written.'),
        limit: count.optional().describe('Traces that one window of Jaeger or Tempo reads at most.'),
      })
      .optional()
      .describe('The window of the command audit, and its limit.'),
  })
  .meta({
    title: 'Configuration of propagation-check',
    description:
      'propagation-check.yaml: settings of the commands run, exec, trace, file, watch and audit. The command line goes before them.',
  });
