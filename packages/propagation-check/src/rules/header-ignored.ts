import { isRoot } from '../graph/trace-graph.ts';
import { defineFinding } from './define-finding.ts';
import { type HeaderCause, readMissingAnswer, readTracecontext } from './header-cause.ts';

export const finding = defineFinding('header-ignored', {
  kind: 'cause',
  isConclusive: true,
  shows: 'the same; B received a valid one and still started a new trace',
  title: 'The called service ignores the header',
  why: 'A valid traceparent arrived and the called service still began a new trace.',
  fix: 'Give the called service a propagator that reads tracecontext (with OTEL_CONFIG_FILE in its section propagator), and extract before the SERVER span starts.',
  ofMessages: {
    fix: 'Let the consumer extract the context from the message, and give it to its span as parent or as link.',
  },
});

/** The caller's valid header arrived, and the called service began a trace of its own. */
export const headerIgnored: HeaderCause = {
  finding,
  needs: {
    sides: ['callee'],
    excludes: ['header-not-sent', 'client-not-instrumented', 'format-mismatch'],
  },
  explain: (call) => {
    const { client, server } = call;
    const reading = readTracecontext(call.headers.received);
    if (reading?.state !== 'valid') return null;
    const answered = readMissingAnswer(call);
    if (answered !== null && answered.traceId !== reading.traceId)
      return `a valid traceparent of trace ${reading.traceId} arrived, and the called service answered with span ${answered.spanId} of trace ${answered.traceId}`;
    if (server === null || !isRoot(server)) return null;
    return client === null || client.spanId === reading.spanId
      ? `a valid traceparent with span id ${reading.spanId} arrived, and SERVER ${server.spanId} is a root`
      : null;
  },
};
