import { defineFinding } from './define-finding.ts';
import { arrived, type HeaderCause, lacksEvery } from './header-cause.ts';

export const finding = defineFinding('client-not-instrumented', {
  kind: 'cause',
  isConclusive: false,
  shows: 'the same, one to one for every request',
  title: 'The caller\u2019s client library is not instrumented',
  why: 'Requests of the caller have no CLIENT span, and the called service begins a new trace during each.',
  fix: 'Enable the instrumentation of the client library in use (HTTP, gRPC, messaging), and load it before that library (ESM: with a loader hook).',
  ofMessages: {
    title: 'The sender\u2019s messaging library is not instrumented',
    why: 'The sender has no PRODUCER span, and the receiving service begins a new trace for each message.',
    fix: 'Enable the instrumentation of the messaging library in use, and load it before that library. Spans of the HTTP or gRPC API of a broker put no header into a message: where nothing else does, inject the context by hand.',
  },
});

/** The caller emits other spans, but neither a CLIENT span nor a header for the call: its client library is not instrumented. */
export const clientNotInstrumented: HeaderCause = {
  finding,
  needs: { sides: ['caller'], excludes: arrived },
  explain: ({ likeliest, headers: { sent } }) =>
    likeliest === 'client-not-instrumented' && sent !== null && lacksEvery(sent)
      ? 'the request left the caller without a CLIENT span and without any propagation header'
      : null,
};
