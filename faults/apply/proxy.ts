/** The proxy that breaks headers, started by `start-proxy.ts`. It logs its changes to service A's log. */
import { startTap } from 'propagation-check';
import { selectFault } from './select-fault.ts';

const { FAULT: name = '', PROPAGATION: mode, SERVICE_B_URL: target = '' } = process.env;
const { tap } = selectFault(name, mode === 'manual' ? mode : 'auto');
const { url } = await startTap({
  ...tap,
  listen: { port: 0 },
  target,
  client: 'service-a',
  server: 'service-b',
  onRecord: (record) => process.stdout.write(`${JSON.stringify(record)}\n`),
});
process.send?.(url);
process.on('disconnect', () => process.exit());
