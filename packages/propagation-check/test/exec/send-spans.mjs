/**
 * `send-spans.mjs intact|broken|partly|aside|unexported|nothing [EXIT_CODE] [STATUS]` exports a call web → orders to where the variables say and prints `sent`.
 * It was answered with STATUS. With `partly` six more calls are of a client that is not instrumented, with `aside` three, to stock.
 * With `unexported` the caller of web and the service that orders calls send no spans.
 * With `wait` instead of a code it sends them at the first signal, and names that.
 */
const [, , kind, end = '0', status = '200'] = process.argv;
const { OTEL_EXPORTER_OTLP_ENDPOINT: url } = process.env;

const now = BigInt(Date.now()) * 1_000_000n;
const span = (traceId, spanId, parentSpanId, spanKind, from, to) => ({
  ...{ traceId, spanId, parentSpanId, kind: spanKind, name: 'GET' },
  ...{ startTimeUnixNano: String(now + from), endTimeUnixNano: String(now + to) },
  attributes: [
    { key: 'http.request.method', value: { stringValue: 'GET' } },
    { key: 'url.path', value: { stringValue: '/orders' } },
    { key: 'url.full', value: { stringValue: 'http://orders/orders' } },
    { key: 'http.response.status_code', value: { intValue: status } },
  ],
});
/** Calls of requests of `web`, whose client makes no span. */
const uninstrumented = { partly: { count: 6, service: 'orders' }, aside: { count: 3, service: 'stock' } };

function drawRequest(service, at) {
  const from = BigInt(at) * 20_000_000n;
  return [
    ['web', span(`c${at}`.repeat(16), `4${at}`.repeat(8), '', 2, from, from + 9_000_000n)],
    [service, span(`d${at}`.repeat(16), `5${at}`.repeat(8), '', 2, from + 2_000_000n, from + 7_000_000n)],
  ];
}

function drawUnexported() {
  const trace = 'e'.repeat(32);
  const server = {
    ...span(trace, '6'.repeat(16), '7'.repeat(16), 2, 20_000_000n, 29_000_000n),
    flags: 0x301,
  };
  const client = span(web, '8'.repeat(16), '3'.repeat(16), 3, 3_000_000n, 6_000_000n);
  const url = { key: 'url.full', value: { stringValue: 'http://127.0.0.1:8083/stock' } };
  const attributes = [...client.attributes.filter(({ key }) => key !== 'url.full'), url];
  return [
    ['web', server],
    ['orders', { ...client, attributes }],
  ];
}

const isWhole = kind !== 'broken';
const { count, service: called } = uninstrumented[kind] ?? { count: 0, service: '' };
const [web, orders] = ['a'.repeat(32), (isWhole ? 'a' : 'b').repeat(32)];
const resourceSpans = [
  ['web', span(web, '1'.repeat(16), '', 2, 0n, 9_000_000n)],
  ['web', span(web, '2'.repeat(16), '1'.repeat(16), 3, 1_000_000n, 8_000_000n)],
  ['orders', span(orders, '3'.repeat(16), isWhole ? '2'.repeat(16) : '', 2, 2_000_000n, 7_000_000n)],
  ...(kind === 'unexported' ? drawUnexported() : []),
  ...Array.from({ length: count }, (_, at) => drawRequest(called, at + 1)).flat(),
].map(([service, each]) => ({
  resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
  scopeSpans: [{ spans: [each] }],
}));

async function send() {
  if (kind === 'nothing') return;
  const headers = { 'content-type': 'application/json' };
  await fetch(`${url}/v1/traces`, { method: 'POST', headers, body: JSON.stringify({ resourceSpans }) });
}

if (end === 'wait') {
  const keepAlive = setInterval(() => undefined, 60_000);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) {
    process.on(signal, async () => {
      await send();
      process.stdout.write(`${signal}\n`);
      clearInterval(keepAlive);
    });
  }
  process.stdout.write('ready\n');
} else {
  await send();
  process.stdout.write('sent\n');
  process.exitCode = Number(end);
}
