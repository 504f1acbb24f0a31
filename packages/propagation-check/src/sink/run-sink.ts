import { once } from 'node:events';
import type { Session } from '../cli/session.ts';
import { UsageError } from '../cli/usage-error.ts';
import { escapeText } from '../report/escape-text.ts';
import { messageOf } from '../util/message-of.ts';
import { type SinkOptions, startSink } from './start-sink.ts';
import { longestOpenMs } from './trace-judge.ts';

/** The parsed options of `propagation-check sink`. */
export interface SinkArguments {
  readonly listen: SinkOptions['listen'];
  readonly metrics: SinkOptions['metrics'];
  readonly closeAfter: number;
  readonly memory: number;
  readonly maxEdges: number;
  readonly state?: string;
  readonly saveEvery: number;
}

/** Runs a sink until a signal ends it; the exit code is 2 when the counters could not be saved. @throws {SourceError} when it cannot start. */
export async function runSink(args: SinkArguments, session: Session): Promise<void> {
  const say = (message: string) => session.writeError(`propagation-check sink: ${escapeText(message)}\n`);
  if (args.closeAfter > longestOpenMs / 2)
    throw new UsageError(
      `--close-after: at most ${longestOpenMs / 2_000} s, because no trace stays open for more than twice that`,
    );
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
  session.endOnSignals();
  say(
    'judging what is here, and saving the counters; a second signal (Ctrl-C) ends it at once, without them',
  );
  try {
    await sink.close();
    session.setExitCode(0);
  } catch (error) {
    // The signal ended the sink; this error is another one.
    say(messageOf(error));
    session.setExitCode(2);
  }
}
