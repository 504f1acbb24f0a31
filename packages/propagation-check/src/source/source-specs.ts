/** Sources that are queried for traces. */
export const stores = ['jaeger=URL', 'tempo=URL'] as const;
const files = ['file=PATH', 'file=-'] as const;

/** The forms of a source specification, for help and errors. */
export const sourceSpecs = [...stores, 'otlp', 'otlp=HOST:PORT', 'otlp=HOST:PORT,PORT', ...files] as const;

/** The forms for an audit, which reads stored traces. */
export const auditSpecs = [...stores, 'clickhouse=URL', ...files] as const;

export const allSpecs = [...new Set([...sourceSpecs, ...auditSpecs])];
