/** Starts `propagation-check sink` with the arguments of the Kubernetes manifest on free ports of this machine. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findFreePorts } from 'propagation-check/test/free-ports';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { root } from './tools.ts';

const cli = fileURLToPath(import.meta.resolve('propagation-check/package.json')).replace(
  'package.json',
  'src/cli.ts',
);
const pollMs = 20;
const workload = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({
        containers: z.tuple([
          z.object({
            args: z.array(z.string()),
            readinessProbe: z.object({ httpGet: z.object({ path: z.string() }) }),
          }),
        ]),
      }),
    }),
  }),
});

export async function startSink(folder: string) {
  const [statefulSet] = parseAllDocuments(
    await readFile(join(root, 'deploy/kubernetes/base/sink.yaml'), 'utf8'),
  );
  const [{ args, readinessProbe }] = workload.parse(statefulSet?.toJS()).spec.template.spec.containers;
  const [grpc, http, metrics] = await findFreePorts(3);
  await mkdir(folder, { recursive: true });
  const places = new Map([
    ['0.0.0.0:4317', `127.0.0.1:${grpc}`],
    ['0.0.0.0:4318', `127.0.0.1:${http}`],
    ['0.0.0.0:9464', `127.0.0.1:${metrics}`],
    ['/var/lib/propagation-check', folder],
  ]);
  const own = args.map((arg) => [...places].reduce((text, [from, to]) => text.replace(from, to), arg));
  const child = spawn(process.execPath, ['--conditions=trace-context-source', cli, ...own], {
    stdio: 'ignore',
  });
  const exit = once(child, 'exit');
  const url = `http://127.0.0.1:${metrics}`;
  const isReady = () =>
    fetch(`${url}${readinessProbe.httpGet.path}`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isReady())) {
    if (child.exitCode !== null)
      throw new Error(`the sink ended with code ${child.exitCode}: ${own.join(' ')}`);
    await delay(pollMs);
  }
  return {
    grpc: `127.0.0.1:${grpc}`,
    readReceivedSpans: async () => {
      const text = await (await fetch(`${url}/metrics`)).text();
      return Number(/^propagation_sink_spans_received_total(?:\{[^}]*\})? (\d+)/m.exec(text)?.[1]);
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exit;
    },
  };
}
