/** Sends traffic from its own process, at a fixed rate or as fast as the receiver answers. */
import { setTimeout as delay } from 'node:timers/promises';
import { openGrpc, openHttp } from '../open-exporter.ts';
import { encodeTraffic, patchRequest } from './encode-traffic.ts';
import { sendBySdk } from './send-by-sdk.ts';
import type { SendTask, Sent } from './send-task.ts';

/** Number of different requests; each is sent repeatedly with other trace ids. */
const differentRequests = 100;
/** The default of the Collector's exporters (`sending_queue.num_consumers`). */
const sendersAtOnce = 10;

if (process.send !== undefined) {
  process.once('message', (task: SendTask) => {
    const { rate } = task;
    const sending = rate === null ? send(task) : sendBySdk({ ...task, rate });
    void sending.then((sent) => process.send?.(sent, () => process.exit()));
  });
  process.send('ready');
}

async function send({ url, protocol, spans }: SendTask): Promise<Sent> {
  const traffic = encodeTraffic(differentRequests);
  const rounds = Math.max(1, Math.round(spans / traffic.spans));
  const post = openPost(url, protocol);
  let refused = 0;
  // Only one sender uses a request at a time, because sending writes into its buffer.
  const turns = (function* () {
    for (let round = 1; round <= rounds; round += 1)
      for (const request of traffic.requests) yield { round, request };
  })();
  const begunAt = performance.now();
  const sender = async () => {
    for (const { round, request } of turns) {
      const body = patchRequest(request, round, BigInt(Date.now()) * 1_000_000n);
      for (let retryMs = await post(body); retryMs !== null; retryMs = await post(body)) {
        refused += 1;
        await delay(retryMs);
      }
    }
  };
  await Promise.all(Array.from({ length: sendersAtOnce }, sender));
  const milliseconds = performance.now() - begunAt;
  const { intact, broken } = traffic;
  return {
    ...{ spans: rounds * traffic.spans, intact: rounds * intact, broken: rounds * broken },
    ...{ refused, milliseconds },
  };
}

/** HTTP 503; gRPC RESOURCE_EXHAUSTED, and DEADLINE_EXCEEDED on a busy machine. A Collector retries after each. */
const refusals = { http: [503], grpc: [8, 4] } as const satisfies Record<
  SendTask['protocol'],
  readonly number[]
>;
const second = 1_000;

/** Resolves with null when the body was accepted, otherwise with the milliseconds to wait before a retry. */
type Post = (body: Buffer) => Promise<number | null>;

function openPost(url: string, protocol: SendTask['protocol']): Post {
  const { post } = protocol === 'grpc' ? openGrpc(url) : openHttp(url, 'http/protobuf', sendersAtOnce);
  return async (body) => {
    const { status, isTaken, retryAfter } = await post(body);
    if (isTaken) return null;
    if (!refusals[protocol].some((one) => one === status)) throw new Error(`the receiver answered ${status}`);
    return (retryAfter ?? 1) * second;
  };
}
