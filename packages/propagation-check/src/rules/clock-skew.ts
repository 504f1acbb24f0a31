import type { Call } from '../calls/call-group.ts';
import { aheadOf, type ClockOffset, clockOf } from '../pairing/align-clocks.ts';
import { type Group, groupBy, keyFor } from '../util/group-by.ts';
import { defineFinding } from './define-finding.ts';
import { gate, rule } from './rule.ts';
import type { Open, Scene } from './scene.ts';

export const finding = defineFinding('clock-skew', {
  kind: 'warning',
  isConclusive: true,
  shows: "B's SERVER span lies outside the time of A's CLIENT span",
  title: 'The clocks of two services differ',
  why: 'The SERVER span lies outside the time of its CLIENT span. That alone breaks no trace.',
  fix: 'Synchronise the clocks of the two machines (NTP).',
});

/** Clocks of one service: those with a noticeable offset, or the others whose offset is small. */
interface ApartClocks {
  readonly open: Open;
  readonly clocks: Group<readonly [key: string, offset: ClockOffset]>;
}

/** A warning: the edges may be whole, only span times mislead. */
export const apartClocks = rule<ApartClocks>({
  finding,
  measure: (scene, open) =>
    groupBy([...scene.clockOffsets], ([, offset]) =>
      keyFor(offset.service, String(isNoticeable(scene.thresholds, offset.ahead))),
    ).map((clocks) => ({ open, clocks })),
  gates: [
    gate(
      'a clock offset is large enough to notice',
      ({ clocks: [[, { ahead }]] }, { thresholds }) => isNoticeable(thresholds, ahead),
      ({ clocks }) => clocks.map(([, offset]) => describeClock(offset, false)).join(', '),
    ),
    // Without a whole call the offset comes from an expectation or a guess, and the finding about the calls paired by it names the offset.
    gate(
      'a whole call shows the offset',
      ({ clocks: [[, { service }]] }, scene) => listCalls(scene, service).length > 0,
      ({ clocks: [[, { service }]] }) =>
        `no call of ${service ?? 'the service'} is whole between clocks that differ`,
    ),
  ],
  looseEnds: ({ open, clocks: [[, { service }]] }) => [
    ...open.clients.filter(({ serviceName }) => serviceName === service),
    ...open.roots.of(service),
  ],
  report: ({ clocks }, scene) => {
    const [[, { service }]] = clocks;
    const offsets = new Map(clocks);
    const calls = listCalls(scene, service);
    const [first] = calls;
    const clockOfCall = ({ client, server }: Call): string =>
      clockOf(server.serviceName === service ? server : client);
    const isShared = new Set(calls.map(clockOfCall)).size === 1;
    const shown = calls.flatMap((call) => {
      const offset = offsets.get(clockOfCall(call));
      const { client, server } = call;
      return offset === undefined || !areApart(scene, call)
        ? []
        : [{ client, server, says: describeClock(offset, isShared) }];
    });
    return finding.report({
      client: first?.client.serviceName ?? null,
      server: first?.server.serviceName ?? service,
      protocol: first?.protocol ?? 'http',
      shown,
    });
  },
});

/** The whole calls into a service if the clocks differ there. Otherwise, as for a browser, the calls that it makes to one other service. */
function listCalls(scene: Scene, service: string | null): readonly Call[] {
  const { groupsFrom, callsInto, callsBetween } = scene;
  const doShow = (calls: readonly Call[]): boolean => calls.some((call) => areApart(scene, call));
  const into = callsInto(service);
  if (doShow(into)) return into;
  const called = [...new Set(groupsFrom(service).map(({ server }) => server))];
  return called.map((server) => callsBetween(service, server)).find(doShow) ?? [];
}

function areApart({ clockOffsets, thresholds }: Scene, { client, server }: Call): boolean {
  return isNoticeable(thresholds, aheadOf(clockOffsets, server) - aheadOf(clockOffsets, client));
}

function isNoticeable({ noticeableSkew }: Scene['thresholds'], ahead: bigint): boolean {
  return ahead > noticeableSkew || ahead < -noticeableSkew;
}

function describeClock({ service, instance, ahead }: ClockOffset, isShared: boolean): string {
  return describeClockLead(isShared || instance === null ? service : `${service} (${instance})`, ahead);
}

/** @param ahead In nanoseconds. */
export function describeClockLead(whose: string | null, ahead: bigint): string {
  const milliseconds = ahead / 1_000_000n;
  return ahead > 0n
    ? `the clock of ${whose} is ${milliseconds} ms ahead`
    : `the clock of ${whose} is ${-milliseconds} ms behind`;
}
