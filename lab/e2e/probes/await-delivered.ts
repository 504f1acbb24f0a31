/** Exits when the Collector has exported every span that it has accepted. Runs in the Collector's network. */
import { setTimeout as delay } from 'node:timers/promises';

const metricsUrl = 'http://collector-counters:8888/metrics';
const pollMs = 50;
const patienceMs = 30_000;

for (const deadline = Date.now() + patienceMs; ; await delay(pollMs)) {
  const response = await fetch(metricsUrl);
  const metrics = await response.text();
  const [taken, sent] = [
    sum(metrics, 'otelcol_receiver_accepted_spans'),
    sum(metrics, 'otelcol_exporter_sent_spans'),
  ];
  if (taken > 0 && sent === taken) break;
  if (Date.now() > deadline) throw new Error(`the Collector has taken ${taken} spans and handed on ${sent}`);
}

function sum(metrics: string, name: string): number {
  return metrics
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name}_total{`))
    .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0);
}
