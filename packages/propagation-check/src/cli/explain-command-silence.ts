/** A command after which no span has arrived. */
interface SilentCommand {
  readonly name: string;
  readonly exitCode: number;
  /** Variables of its environment that keep spans away. */
  readonly silences: readonly string[];
}

/** Why no span of a command arrived, as far as it can be seen from outside. */
export function explainCommandSilence({ name, exitCode, silences }: SilentCommand): string {
  const ended =
    exitCode > firstSignalCode ? 'it was ended by a signal, maybe before it had sent its spans; or ' : '';
  if (silences.length > 0) return ended + silences.join('; ');
  return (
    `${ended}no process of ${name} has an SDK that exports traces (${howToLoad}), or it exports elsewhere: to an endpoint in its code, ` +
    `or in OTEL_EXPORTER_OTLP_TRACES_ENDPOINT; or its services run in containers, which ${howToReach}`
  );
}

/** Source: POSIX shells, 128 + the number of the signal. */
const firstSignalCode = 128;

const howToReach =
  'neither get these variables nor reach 127.0.0.1: listen with --source otlp=0.0.0.0:14318, and set in them ' +
  'OTEL_EXPORTER_OTLP_ENDPOINT=http://host.docker.internal:14318 (Linux: extra_hosts host.docker.internal:host-gateway)';

const howToLoad =
  'in Node.js env NODE_OPTIONS="--import @opentelemetry/auto-instrumentations-node/register" before the command, in Python opentelemetry-instrument, ' +
  'in Java JAVA_TOOL_OPTIONS=-javaagent:opentelemetry-javaagent.jar';
