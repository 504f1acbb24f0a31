/** Runs one benchmark by its name. */
const benches: Readonly<Record<string, (argv: readonly string[]) => Promise<void>>> = {
  services: async (argv) => (await import('./bench/services.ts')).benchServices(argv),
  stack: async () => (await import('./bench/stack.ts')).benchStack(),
  tap: async () => (await import('./bench/tap.ts')).benchTap(),
  engine: async (argv) => (await import('./bench/engine.ts')).benchEngine(argv),
  audit: async (argv) => (await import('./bench/audit.ts')).benchAudit(argv),
  sink: async (argv) => (await import('./bench/sink.ts')).benchSink(argv),
  delivery: async () => (await import('./bench/delivery.ts')).benchDelivery(),
  hops: async () => (await import('./bench/hops.ts')).benchHops(),
  verdict: async (argv) => (await import('./bench/verdict.ts')).benchVerdict(argv),
  'audit-clickhouse': async (argv) =>
    (await import('./bench/audit-clickhouse.ts')).benchAuditClickhouse(argv),
};

const names = Object.keys(benches).join(', ');
const [name = '', ...argv] = process.argv.slice(2);
const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
if ([name, ...argv].includes('--help'))
  process.stdout.write(
    `Usage: npm run bench -- NAME [OPTIONS]\nNAME: ${names}\nWhat each measures, and its options: lab/bench/README.md\n`,
  );
else if (bench === undefined) fail(`${name === '' ? 'name one' : `"${name}" is none`} of ${names}`);
else
  await bench(argv).catch((error: unknown) => {
    if (!(error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')))
      throw error;
    fail(`${name}: ${error.message}`);
  });

function fail(problem: string): void {
  process.stderr.write(`bench: ${problem}\n`);
  process.exitCode = 2;
}
