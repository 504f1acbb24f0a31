import type { NoSpans } from '../collect/check-received.ts';

/** A command from which no span arrived. */
interface SilentCommand {
  readonly name: string;
  readonly exitCode: number;
  /** Variables of its environment that stop the export of spans. */
  readonly silences: readonly string[];
}

/** Explains why no span of a command arrived, as far as this tool can see. */
export function explainCommandSilence({ name, exitCode, silences }: SilentCommand): NoSpans {
  const ended =
    exitCode > firstSignalCode ? ['it was ended by a signal, maybe before it had sent its spans'] : [];
  if (silences.length > 0) return { reason: [...ended, ...silences].join('; '), advice: [] };
  return { reason: [...ended, `no process of ${name} exports traces to it`].join('; '), advice };
}

/** A shell's exit code for a command that a signal ended. Source: POSIX shells, 128 + the number of the signal. */
const firstSignalCode = 128;

const advice: readonly string[] = [
  'without an SDK: NODE_OPTIONS="--import @opentelemetry/auto-instrumentations-node/register" in Node.js, opentelemetry-instrument in ' +
    'Python, JAVA_TOOL_OPTIONS=-javaagent:opentelemetry-javaagent.jar',
  'with an SDK: remove the endpoint from its code, and OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_SDK_DISABLED and the sampler from its ' +
    'start script; await sdk.shutdown() before process.exit',
  'in containers: --source otlp=0.0.0.0:14318, and there OTEL_EXPORTER_OTLP_ENDPOINT=http://host.docker.internal:14318 ' +
    '(on Linux also extra_hosts: host.docker.internal:host-gateway)',
];
