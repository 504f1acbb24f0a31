/**
 * Packages that send context to other services, each with the instrumentation that patches it. Database clients are left out, because they
 * send no context. Clients on Node.js's `http` (axios, got, node-fetch, superagent) need only its instrumentation.
 */
export const patchedModules: ReadonlyMap<string, string> = new Map([
  ['@grpc/grpc-js', '@opentelemetry/instrumentation-grpc'],
  ['amqplib', '@opentelemetry/instrumentation-amqplib'],
  ['kafkajs', '@opentelemetry/instrumentation-kafkajs'],
  ['@aws-sdk/client-sqs', '@opentelemetry/instrumentation-aws-sdk'],
  ['@aws-sdk/client-sns', '@opentelemetry/instrumentation-aws-sdk'],
  ['socket.io', '@opentelemetry/instrumentation-socket.io'],
]);

/** Clients that send through Node.js's `http` and `https`. */
export const httpClients = [
  'axios',
  'got',
  'node-fetch',
  'superagent',
  'request',
  'needle',
  'request-promise',
];

/** Frameworks on Node.js's `http`, which they load with `require`. */
export const httpServers: readonly string[] = [
  ...['express', 'fastify', 'koa', 'connect', 'restify', '@hapi/hapi', '@nestjs/core', 'ws', 'socket.io'],
];

/** Packages that load Node.js's `http` with `require`, also when they are imported. */
export const requireHttp: ReadonlySet<string> = new Set([
  ...httpServers,
  ...['axios', 'got', 'superagent', 'request', 'needle', 'undici', '@grpc/grpc-js', 'prom-client'],
]);

export const allInstrumentations = '@opentelemetry/auto-instrumentations-node';
export const httpInstrumentation = '@opentelemetry/instrumentation-http';
export const fetchInstrumentation = '@opentelemetry/instrumentation-undici';
