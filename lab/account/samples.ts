/** The value of one metric with one reason, summed over all other labels. */
export interface Sample {
  readonly name: string;
  /** The label `error_type`; empty where there is none. */
  readonly reason: string;
  readonly value: number;
}

/** The samples of Prometheus' text format that are numbers, but for those whose labels are of no interest. */
export function readSamples(
  text: string,
  isIgnored: (labels: string) => boolean = () => false,
): readonly Sample[] {
  const sums = new Map<string, Sample>();
  for (const line of text.split('\n')) {
    const [, written = '', labels = '', number] = /^([a-zA-Z_:][\w:]*)(\{.*\})?[ \t]+(\S+)/.exec(line) ?? [];
    const value = Number(number);
    if (!Number.isFinite(value) || isIgnored(labels)) continue;
    // Depending on the Collector's version and settings its counters end in a unit or a type.
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
