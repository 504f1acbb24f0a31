/** The service name of this tool's own CLIENT spans. */
export const ownServiceName = 'propagation-check';
