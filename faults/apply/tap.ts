/** The taps between the services in Compose. Each record is a line of the log: `docker compose logs --no-log-prefix tap`. */
import { FaultError, selectFault } from './select-fault.ts';
import { startTaps } from './start-taps.ts';

const { FAULT: name = '', PROPAGATION: mode, TLS: tls } = process.env;
try {
  const fault = selectFault(name, mode === 'manual' ? mode : 'auto', Boolean(tls));
  const taps = await startTaps({
    serviceB: new URL('http://service-b:8082'),
    faults: fault.tap ?? null,
    listen: { host: '0.0.0.0', port: 8083 },
    onRecord: (record) => process.stdout.write(`${JSON.stringify(record)}\n`),
  });
  process.once('SIGTERM', () => void taps[Symbol.asyncDispose]());
} catch (error) {
  if (!(error instanceof FaultError)) throw error;
  process.stderr.write(`tap: ${error.message}\n`);
  process.exitCode = 2;
}
