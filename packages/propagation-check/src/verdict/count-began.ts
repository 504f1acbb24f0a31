import { readDestination } from '../calls/messaging-facts.ts';
import { mayBeOfOneBroker } from '../calls/messaging-system.ts';
import type { LooseEnds, Scene } from '../rules/scene.ts';
import { countMessages } from '../rules/split-message.ts';
import type { Span } from '../span/span.ts';
import { mapBy } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { listRenamed } from './list-renamed.ts';

/**
 * Counts the messages of a service from one destination that began traces. Only spans with the same kind and name as spans of messages that
 * were received with their context count: a service may also have a span without links for each receive.
 */
export function prepareBegan(
  scene: Scene,
  roots: LooseEnds['roots'],
  explained: ReadonlySet<Span | null>,
): (sent: Span, server: string) => number {
  const { kinds, names } = scene.graph.store;
  const kindOf = (row: number): string => `${kinds[row]} ${names[row]}`;
  const beganAt = remember((client: string | null, server: string | null) => {
    const whole = scene.groupsBetween(client, server).filter(({ clientKind }) => clientKind === 'PRODUCER');
    const known = new Set(whole.flatMap(({ servers }) => Array.from(servers, kindOf)));
    const began = roots.select((row) => known.has(kindOf(row)), server);
    const left = began.filter((span) => !explained.has(span));
    return {
      left: mapBy(left, readDestination),
      renamed: left.length === 0 ? [] : listRenamed(scene, whole),
    };
  });
  return (sent, server) => {
    const { left, renamed } = beganAt(sent.serviceName, server);
    const destination = readDestination(sent);
    const others = renamed.filter((one) => one.sent === destination).map(({ received }) => received);
    const ofDestination = [destination, ...others].flatMap((name) => left.get(name) ?? []);
    return countMessages(ofDestination.filter((span) => mayBeOfOneBroker(span, sent)));
  };
}
