import type { SeenContext } from '../headers/captured.ts';
import type { PropagationFormat } from '../headers/evidence.ts';
import { defineFinding } from './define-finding.ts';
import { type HeaderCause, lacks, lacksEvery, nameFormats, readTracecontext } from './header-cause.ts';

export const finding = defineFinding('header-stripped', {
  kind: 'cause',
  isConclusive: true,
  shows: 'the same; a header was sent by A and not received by B',
  title: 'The header is lost on the way',
  why: 'The caller sent trace context and the called service received none: a proxy, gateway or mesh removed it.',
  fix: 'Let every proxy between the two services forward traceparent, tracestate and baggage unchanged.',
  ofMessages: {
    fix: 'Let what forwards the message (a bridge, a subscription, a retry) keep its headers or attributes.',
  },
});

/** The caller sent trace context, and none reached the called service; or it sent `traceparent`, and only other formats arrived. */
export const headerStripped: HeaderCause = {
  finding,
  explain: ({ headers: { sent, received } }) => {
    if (sent === null || received === null || sent.contexts.length === 0) return null;
    const isLost = (format: PropagationFormat): boolean => lacks(received, format);
    const isStripped =
      readTracecontext(sent) === null
        ? received.contexts.length === 0 && sent.contexts.every(({ format }) => isLost(format))
        : isLost('tracecontext');
    return isStripped
      ? `the caller sent ${nameFormats(sent)}, and ${nameArrived(received)} reached the called service`
      : null;
  },
};

function nameArrived(received: SeenContext): string {
  if (received.contexts.length > 0) return `only ${nameFormats(received)}`;
  return lacksEvery(received) ? 'no propagation header' : 'none of it';
}
