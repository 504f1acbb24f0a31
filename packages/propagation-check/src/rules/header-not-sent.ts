import { defineFinding } from './define-finding.ts';
import { arrived, type HeaderCause, lacksEvery } from './header-cause.ts';

export const finding = defineFinding('header-not-sent', {
  kind: 'cause',
  isConclusive: true,
  shows: "the same, and no propagation header on A's side of the wire",
  title: 'The caller sends no propagation header',
  why: 'The caller has a CLIENT span, but its request left without any trace context.',
  fix: 'Give the caller a propagator (OTEL_PROPAGATORS=tracecontext,baggage; with OTEL_CONFIG_FILE its section propagator counts instead) and inject the context into the request. If it has one, look for a wrapper that drops the header.',
  ofMessages: {
    fix: 'Let the instrumentation of the producer write the context into the message, or inject it into its headers or attributes by hand.',
  },
});

/** The caller has a CLIENT span, and its request left without a propagation header. */
export const headerNotSent: HeaderCause = {
  finding,
  needs: { sides: ['caller'], excludes: arrived },
  explain: ({ client, headers: { sent } }) =>
    client !== null && sent !== null && lacksEvery(sent)
      ? 'the request left the caller without any propagation header'
      : null,
};
