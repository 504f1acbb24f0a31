// Measures the embedded receiver with exporters that send as fast as it answers.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mapConcurrently } from 'propagation-check/kit';
import { openGrpc, openHttp } from '../open-exporter.ts';
import { generateSpans } from './generate-spans.ts';
import type { Received, ReceiverTask } from './receive.ts';

const receiveFile = fileURLToPath(new URL('receive.ts', import.meta.url));
/** 512 spans, the largest batch of a stock batch processor: a line of the generated file has 64. */
const linesPerRequest = 8;
const sendersAtOnce = 4;

export const receiverProtocols = ['http/json', 'http/protobuf', 'grpc'] as const;
export type ReceiverProtocol = (typeof receiverProtocols)[number];

/** Sends generated spans to a receiver in another process, which checks them. Requests are encoded before the measurement. */
export async function measureReceiver(
  protocol: ReceiverProtocol,
  folder: string,
  spans: number,
): Promise<Received> {
  const bodies = await encodeRequests(protocol, folder, spans);
  const child = fork(receiveFile);
  const [url]: string[] = await once(child, 'message');
  if (url === undefined) throw new Error('the receiver did not say where it listens');
  await using sender = protocol === 'grpc' ? openGrpc(url) : openHttp(url, protocol, sendersAtOnce);
  const request = (task: ReceiverTask) => child.send(task);
  request('begin');
  await mapConcurrently(bodies, sendersAtOnce, (body) => sender.send(body));
  const answer: Promise<Received[]> = once(child, 'message');
  request('judge');
  const [received] = await answer;
  if (received === undefined) throw new Error('the receiver gave nothing');
  return received;
}

export async function encodeRequests(
  protocol: ReceiverProtocol,
  folder: string,
  spans: number,
): Promise<readonly Buffer[]> {
  const path = join(folder, 'spans');
  const format = protocol === 'http/json' ? 'json' : 'protobuf';
  await generateSpans(path, { spans, broken: 0, isOneTrace: false, format });
  const bytes = await readFile(path);
  const parts = format === 'json' ? splitLines(bytes) : splitFrames(bytes);
  const joinParts = format === 'json' ? joinLines : Buffer.concat;
  const requests: Buffer[] = [];
  for (let at = 0; at < parts.length; at += linesPerRequest)
    requests.push(joinParts(parts.slice(at, at + linesPerRequest)));
  return requests;
}

function splitLines(bytes: Buffer): readonly Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0, end = bytes.indexOf('\n'); end >= 0; start = end + 1, end = bytes.indexOf('\n', start))
    lines.push(bytes.subarray(start, end));
  return lines;
}

function splitFrames(bytes: Buffer): readonly Buffer[] {
  const frames: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = start + 4 + bytes.readUInt32BE(start);
    frames.push(bytes.subarray(start + 4, end));
    start = end;
  }
  return frames;
}

/** Joins requests with one `ResourceSpans` each into one request. */
function joinLines(lines: readonly Buffer[]): Buffer {
  const list = lines.map((line) => line.toString().slice('{"resourceSpans":['.length, -']}'.length));
  return Buffer.from(`{"resourceSpans":[${list}]}`);
}
