/**
 * Whether OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG sample no trace that begins in the process. An empty argument means the default,
 * 1. Source: OpenTelemetry specification, "General SDK configuration".
 */
export function isSampledNever(sampler: string, argument: string): boolean {
  const [, form] = /^(?:parentbased_)?(always_off|traceidratio)$/.exec(sampler.trim()) ?? [];
  return (
    form === 'always_off' || (form === 'traceidratio' && argument.trim() !== '' && Number(argument) === 0)
  );
}
