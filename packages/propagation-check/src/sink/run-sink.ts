import { once } from 'node:events';
import type { Session } from '../cli/session.ts';
import { escapeText } from '../report/escape-text.ts';
import { type SinkOptions, startSink } from './start-sink.ts';

/** The options of `propagation-check sink`, parsed. */
export interface SinkArguments {
  readonly listen: SinkOptions['listen'];
  readonly metrics: SinkOptions['metrics'];
  readonly closeAfter: number;
  readonly memory: number;
  readonly maxEdges: number;
  readonly state?: string;
  readonly saveEvery: number;
}

/** Runs a sink until it is ended. @throws {SourceError} when it cannot start, or its counters cannot be saved. */
export async function runSink(args: SinkArguments, session: Session): Promise<void> {
  const say = (message: string) => session.writeError(`propagation-check sink: ${escapeText(message)}\n`);
  const sink = await startSink({
    listen: args.listen,
    metrics: args.metrics,
    closeAfterMs: args.closeAfter,
    maxBytes: args.memory,
    maxEdges: args.maxEdges,
    statePath: args.state ?? null,
    saveEveryMs: args.saveEvery,
    say,
  });
  say(`listening on ${sink.urls.join(', ')}; metrics on ${sink.url}/metrics`);
  if (!session.signal.aborted) await once(session.signal, 'abort');
  say('judging what is here, and saving the counters');
  await sink.close();
  session.setExitCode(0);
}
