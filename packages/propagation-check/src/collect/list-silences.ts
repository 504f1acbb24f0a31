import { isSampledNever } from '../util/is-sampled-never.ts';

/** Describes variables that stop an SDK from exporting spans, or make it ignore the endpoint, and what to do. */
export function listSilences(variables: NodeJS.ProcessEnv): readonly string[] {
  const { OTEL_SDK_DISABLED: disabled = '', OTEL_TRACES_EXPORTER: exporter = '' } = variables;
  const { OTEL_TRACES_SAMPLER: sampler = '', OTEL_TRACES_SAMPLER_ARG: argument = '' } = variables;
  const named = sampler.endsWith('traceidratio')
    ? `${sampler} and OTEL_TRACES_SAMPLER_ARG=${argument}`
    : sampler;
  return [
    ...(disabled.toLowerCase() === 'true'
      ? [`OTEL_SDK_DISABLED=${disabled} is set, so that SDKs export nothing; unset it`]
      : []),
    ...(exporter.trim().toLowerCase() === 'none'
      ? ['OTEL_TRACES_EXPORTER=none is set, so that SDKs export no spans; unset it']
      : []),
    ...(isSampledNever(sampler, argument)
      ? [`OTEL_TRACES_SAMPLER=${named} is set, so that SDKs record no trace that begins in them; unset it`]
      : []),
    ...['OTEL_CONFIG_FILE', 'OTEL_EXPERIMENTAL_CONFIG_FILE']
      .filter((name) => variables[name] !== undefined && variables[name] !== '')
      .map(
        (name) =>
          `${name} is set, so that SDKs ignore other variables; write the endpoint as \${OTEL_EXPORTER_OTLP_ENDPOINT} in that file`,
      ),
  ];
}
