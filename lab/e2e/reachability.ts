/** Connections between the containers of the stack. */
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { z } from 'zod';
import { type ComposeStack, expectSuccess, type Ran } from './compose-stack.ts';

const services = ['service-a', 'service-b', 'otel-collector', 'jaeger'] as const;

/** `own`: the service itself listens on the port. All ports that are not listed are closed to everybody. */
export const expectedReachability = `
from \\ to       service-a:8081  service-a:9464  service-b:8082  service-b:9464  otel-collector:4318  otel-collector:8888  jaeger:4318  jaeger:16686
127.0.0.1       open            -               open            -               -                    -                    -            open
other machines  -               -               -               -               -                    -                    -            -
service-a       own             own             open            open            open                 -                    -            -
service-b       open            open            own             own             open                 -                    -            -
otel-collector  open            open            open            open            own                  own                  open         -
jaeger          -               -               -               -               open                 -                    own          own
assert          open            open            open            open            open                 open                 open         open
`.trim();

type Service = (typeof services)[number];

/** The addresses of a service port: in its container, and its published port. */
interface Target {
  readonly column: string;
  readonly addresses: readonly Address[];
}

type Address = z.infer<typeof addressSchema>;
const addressSchema = z.object({ host: z.string(), port: z.number() });
const listenersSchema = z.object({ addresses: z.array(z.string()), ports: z.array(z.number()) });
const publishedSchema = z.object({
  Service: z.string(),
  /** Null when the image exposes no port. */
  Publishers: z.array(z.object({ TargetPort: z.number(), PublishedPort: z.number() })).nullable(),
});

export interface Reachability {
  readonly table: string;
  /** Connections from the host to the containers' addresses: Docker cannot forbid them. */
  readonly byBridge: readonly string[];
}

/** Tries to connect from every container and from the host to every listening port of every service. */
export async function measureReachability(stack: ComposeStack): Promise<Reachability> {
  const listeners = await Promise.all(
    services.map(async (service) => ({
      service,
      ...listenersSchema.parse(
        readJson(await stack.probe(service, { namespace: 'network', script: 'list-listeners.ts' })),
      ),
    })),
  );
  const published = await readPublished(stack);
  const everyPort = [...new Set(listeners.flatMap(({ ports }) => ports))];
  const columns = listeners.flatMap(({ service, ports }) => ports.map((port) => `${service}:${port}`));

  const inside = listeners.flatMap(({ service, addresses }) =>
    everyPort.map((port) => ({
      column: `${service}:${port}`,
      addresses: addresses.map((host) => ({ host, port })),
    })),
  );
  const onLoopback = published.map(({ column, port }) => ({
    column,
    addresses: [{ host: '127.0.0.1', port }],
  }));
  const onOtherAddresses = published.map(({ column, port }) => ({
    column,
    addresses: findOwnAddresses().map((host) => ({ host, port })),
  }));
  assert.ok(published.length > 0 && onOtherAddresses.every(({ addresses }) => addresses.length > 0));

  const fromHost = (args: readonly string[]) => stack.probeHost('connect.ts', args);
  const fromService = (service: Service) => (args: readonly string[]) =>
    stack.probe(service, { namespace: 'network', script: 'connect.ts', args });
  const rows = await Promise.all([
    findOpen(fromHost, onLoopback).then((open) => ({ from: '127.0.0.1', open })),
    findOpen(fromHost, onOtherAddresses).then((open) => ({ from: 'other machines', open })),
    ...services.map(async (from) => ({
      from,
      // Also through the host's addresses.
      open: await findOpen(fromService(from), [
        ...inside.filter(({ column }) => !column.startsWith(`${from}:`)),
        ...onOtherAddresses,
      ]),
    })),
    findOpen((args) => stack.probeNew('assert', 'connect.ts', args), [...inside, ...onOtherAddresses]).then(
      (open) => ({ from: 'assert', open }),
    ),
  ]);
  const byBridge = await findOpen(fromHost, inside);
  const table = renderTable([...new Set([...columns, ...rows.flatMap(({ open }) => open)])], rows);
  return { table, byBridge };
}

async function findOpen(
  run: (args: readonly string[]) => Promise<Ran>,
  targets: readonly Target[],
): Promise<readonly string[]> {
  const addresses = targets.flatMap((target) => target.addresses);
  const open = z.array(addressSchema).parse(readJson(await run([JSON.stringify(addresses)])));
  const isOpen = ({ host, port }: Address) => open.some((one) => one.host === host && one.port === port);
  return targets.filter((target) => target.addresses.some(isOpen)).map(({ column }) => column);
}

async function readPublished(stack: ComposeStack) {
  const { stdout } = expectSuccess(await stack.compose(['ps', '--format', 'json']));
  return stdout
    .trim()
    .split('\n')
    .map((line) => publishedSchema.parse(JSON.parse(line)))
    .flatMap(({ Service, Publishers }) =>
      (Publishers ?? [])
        .filter(({ PublishedPort }) => PublishedPort > 0)
        .map(({ TargetPort, PublishedPort }) => ({
          column: `${Service}:${TargetPort}`,
          port: PublishedPort,
        })),
    );
}

/** The addresses under which other machines and containers reach this machine. */
function findOwnAddresses(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((found) => found ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map(({ address }) => address);
}

function renderTable(
  columns: readonly string[],
  rows: readonly { readonly from: string; readonly open: readonly string[] }[],
): string {
  const cells = [
    ['from \\ to', ...columns],
    ...rows.map(({ from, open }) => [
      from,
      ...columns.map((column) => {
        if (column.startsWith(`${from}:`)) return 'own';
        return open.includes(column) ? 'open' : '-';
      }),
    ]),
  ];
  const widths = cells[0]?.map((_, index) => Math.max(...cells.map((row) => row[index]?.length ?? 0))) ?? [];
  return cells
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Parses the last line as JSON: Compose may print build progress before it. */
export function readJson(ran: Ran): unknown {
  return JSON.parse(expectSuccess(ran).stdout.trim().split('\n').at(-1) ?? '');
}
