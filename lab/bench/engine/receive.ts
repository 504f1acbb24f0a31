/** A receiver in its own process: the cost of receiving, storing and checking spans. */
import { startOtlpReceiver } from 'propagation-check';
import { checkStore } from 'propagation-check/kit';

export interface Received {
  readonly spans: number;
  readonly verdict: string;
  /** From the first request to the verdict. */
  readonly milliseconds: number;
  /** CPU time of all threads from the first request to the verdict. */
  readonly cpuMilliseconds: number;
}

/** Messages of the sender. `begin`: the measurement begins; `judge`: everything has been sent. */
export type ReceiverTask = 'begin' | 'judge';

const maxSpans = 10_000_000;

if (process.send !== undefined) {
  const receiver = await startOtlpReceiver({ port: 0, maxSpans, maxBytes: Number.MAX_SAFE_INTEGER });
  let began = { at: 0, cpu: process.cpuUsage() };
  process.on('message', (task: ReceiverTask) => {
    if (task === 'begin') {
      began = { at: performance.now(), cpu: process.cpuUsage() };
      return;
    }
    const { verdict, spans } = checkStore(receiver.readStore());
    const { user, system } = process.cpuUsage(began.cpu);
    const received: Received = {
      ...{ spans, verdict },
      milliseconds: performance.now() - began.at,
      cpuMilliseconds: (user + system) / 1_000,
    };
    process.send?.(received, () => process.exit());
  });
  process.send(receiver.url);
}
