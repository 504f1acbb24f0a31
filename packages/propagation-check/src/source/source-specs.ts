/** Those that are asked for traces. */
export const stores = ['jaeger=URL', 'tempo=URL'] as const;
const files = ['file=PATH', 'file=-'] as const;

/** For help and errors: what a source specification can be. */
export const sourceSpecs = [...stores, 'otlp', 'otlp=HOST:PORT', 'otlp=HOST:PORT,PORT', ...files] as const;

/** The same for an audit, which reads what is stored. */
export const auditSpecs = [...stores, 'clickhouse=URL', ...files] as const;

export const allSpecs = [...new Set([...sourceSpecs, ...auditSpecs])];
