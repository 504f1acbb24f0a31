/** Ends when the Collector in whose network this runs has handed on every span that it has taken. */
import { setTimeout as delay } from 'node:timers/promises';

const metricsUrl = 'http://collector-counters:8888/metrics';
const pollMs = 50;
const deadline = AbortSignal.timeout(30_000);

for (;;) {
  const response = await fetch(metricsUrl, { signal: deadline });
  const metrics = await response.text();
  if (sum(metrics, 'otelcol_receiver_accepted_spans') === sum(metrics, 'otelcol_exporter_sent_spans')) break;
  await delay(pollMs, undefined, { signal: deadline });
}

function sum(metrics: string, name: string): number {
  return metrics
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name}_total{`))
    .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0);
}
