import { checkDrawing } from '../engine/read-fixture-drawing.ts';

/** The findings of a drawing without information, one a line: `error split-trace web -> orders 2`. */
export function judgeDrawing(drawing: string): readonly string[] {
  return findIn(drawing).map(
    ({ severity, id, client, server, count }) => `${severity} ${id} ${client} -> ${server} ${count}`,
  );
}

/** The facts of all findings. */
export function listFacts(drawing: string): readonly string[] {
  return findIn(drawing).flatMap(({ facts = [] }) => facts);
}

/** The undecided statements of a drawing, one a line: `web -> orders: no span of orders is here`. */
export function listUndecided(drawing: string): readonly string[] {
  const { undecided = [] } = checkDrawing(drawing);
  return undecided.map(({ client, server, says }) => `${client} -> ${server}: ${says}`);
}

/** The likeliest cause of the only finding. */
export function guessCause(drawing: string): string | undefined {
  return listCauses(drawing)[0];
}

/** The candidates of the only finding. */
export function listCauses(drawing: string): readonly string[] {
  const [first, ...others] = findIn(drawing);
  if (others.length > 0) throw new Error('the drawing gives several findings');
  return first?.candidates ?? [];
}

/** Why each loose end is not reported: `SERVER of orders: missing-client: GATE: VALUES`. */
export function explainDrawing(drawing: string): readonly string[] {
  const { explain = [] } = checkDrawing(drawing, { explain: true });
  return explain.flatMap(({ kind, service, reasons }) =>
    reasons.map(({ finding, gate, values }) => `${kind} of ${service}: ${finding}: ${gate}: ${values}`),
  );
}

function findIn(drawing: string) {
  return checkDrawing(drawing).findings.filter(({ severity }) => severity !== 'info');
}

interface SpanPlace {
  readonly from: number;
  readonly to: number;
  readonly service?: string;
  readonly extra?: string;
}

/** A line for a call of `web`. @param target Host and path of the URL. */
export function drawClient(
  { from, to, service = 'web', extra = '' }: SpanPlace,
  target = 'orders:8082/work',
): string {
  return `${service} CLIENT "GET" ${from}..${to} http.request.method=GET url.full=http://${target} http.response.status_code=200 ${extra}`;
}

/** A line for a request that `orders` received. */
export function drawServer({ from, to, service = 'orders', extra = '' }: SpanPlace, path = '/work'): string {
  return `${service} SERVER "GET ${path}" ${from}..${to} http.request.method=GET url.path=${path} server.port=8082 ${extra}`;
}

/** A trace in which each line is the child of the one before. */
export function drawChain(number: number, ...lines: readonly string[]): string {
  return [`trace ${number}`, ...lines.map((line, depth) => `${'  '.repeat(depth + 1)}${line}`), ''].join(
    '\n',
  );
}
