/** For `--help`: what a source specification can be. */
export const sourceSpecs = [
  'jaeger=URL',
  'tempo=URL',
  'otlp',
  'otlp=HOST:PORT',
  'otlp=HOST:PORT,PORT',
  'file=PATH',
  'file=-',
] as const;
