import { readFile, writeFile } from 'node:fs/promises';
import type { WireRecord } from 'propagation-check';
import { decodeJsonLines, readCallFacts, readWireContext } from 'propagation-check/kit';

/** The path of the records that belong to a file of spans. */
export function recordsOf(path: string): string {
  return `${path}.wire`;
}

/** Writes a tap record for each call, as a tap writes it in front of the callees that removes the header. */
export async function writeRecords(path: string): Promise<void> {
  const lines: string[] = [];
  for (const span of decodeJsonLines(await readFile(path))) {
    if (span.kind !== 'CLIENT') continue;
    const { host, port, path: requested } = readCallFacts(span);
    const record: WireRecord = {
      time: new Date(Number(span.startTimeUnixNano / 1_000_000n)).toISOString(),
      durationMs: Number(span.endTimeUnixNano - span.startTimeUnixNano) / 1_000_000,
      tap: 'tap',
      target: `http://${host}:${port}`,
      ...{ client: null, server: null, host: null, calledAt: null, callsFrom: null },
      protocolVersion: '1.1',
      method: 'GET',
      path: requested ?? '/',
      sent: readWireContext([{ name: 'traceparent', value: `00-${span.traceId}-${span.spanId}-01` }]),
      received: readWireContext([]),
      ...{ faults: [], status: 200, answered: null, clientAborted: false, targetError: null },
    };
    lines.push(`${JSON.stringify(record)}\n`);
  }
  await writeFile(recordsOf(path), lines.join(''));
}
