/** The value of one metric with one reason, summed over all other labels. */
export interface Sample {
  readonly name: string;
  /** The label `error_type`; empty where there is none. */
  readonly reason: string;
  readonly value: number;
}

/** The numeric samples in a text in Prometheus' format, without those whose labels `isIgnored` matches. */
export function readSamples(
  text: string,
  isIgnored: (labels: string) => boolean = () => false,
): readonly Sample[] {
  const sums = new Map<string, Sample>();
  for (const line of text.split('\n')) {
    const [, written = '', labels = '', number] = /^([a-zA-Z_:][\w:]*)(\{.*\})?[ \t]+(\S+)/.exec(line) ?? [];
    const value = Number(number);
    if (!Number.isFinite(value) || isIgnored(labels)) continue;
    // The names of the Collector's counters end in a unit or a type, depending on its version and settings.
    const name = written.startsWith('otelcol_') ? written.replace(/(__spans_)?(_total)?$/, '') : written;
    const reason = /[{,]error_type="([^"]*)"/.exec(labels)?.[1] ?? '';
    const key = `${name} ${reason}`;
    sums.set(key, { name, reason, value: (sums.get(key)?.value ?? 0) + value });
  }
  return [...sums.values()];
}

export function sumSamples(samples: readonly Sample[]): number {
  return samples.reduce((total, { value }) => total + value, 0);
}
