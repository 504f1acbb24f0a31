import { type ClockOffset, clockOf } from '../pairing/align-clocks.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import type { Check, Draft, Scene } from './check.ts';
import { defineFinding } from './define-finding.ts';

export const finding = defineFinding('clock-skew', {
  kind: 'warning',
  isConclusive: true,
  shows: "B's SERVER span lies outside the time of A's CLIENT span",
  title: 'The clocks of two services differ',
  why: 'The SERVER span lies outside the time of its CLIENT span. The edge itself is whole.',
  fix: 'Synchronise the clocks of the two machines (NTP).',
});

/** A warning: the edges may be whole, only their times mislead. */
export const findClockSkew: Check = (scene) => {
  const { noticeableSkew } = scene.thresholds;
  const noticed = [...scene.clockOffsets].filter(
    ([, { ahead }]) => ahead > noticeableSkew || ahead < -noticeableSkew,
  );
  return groupBy(noticed, ([, { service }]) => keyFor(service)).map((clocks) => {
    const [[, { service }]] = clocks;
    return describeService(scene, service, new Map(clocks));
  });
};

function describeService(
  scene: Scene,
  service: string | null,
  clocks: ReadonlyMap<string, ClockOffset>,
): Draft {
  const calls = scene.callsInto(service);
  const isShared = new Set(calls.map(({ server }) => clockOf(server))).size === 1;
  const shown = calls.flatMap(({ client, server }) => {
    const clock = clocks.get(clockOf(server));
    return clock === undefined ? [] : [{ client, server, says: describeClock(clock, isShared) }];
  });
  return finding.report({
    client: calls[0]?.client.serviceName ?? null,
    server: service,
    protocol: calls[0]?.protocol ?? 'http',
    shown,
  });
}

function describeClock({ service, instance, ahead }: ClockOffset, isShared: boolean): string {
  const whose = isShared || instance === null ? service : `${service} (${instance})`;
  const milliseconds = ahead / 1_000_000n;
  return ahead > 0n
    ? `the clock of ${whose} is ${milliseconds} ms ahead`
    : `the clock of ${whose} is ${-milliseconds} ms behind`;
}
