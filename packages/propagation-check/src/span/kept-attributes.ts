import { droppedCounts } from './dropped-counts.ts';
import { headerFamilies } from './header-families.ts';
import type { Attributes, AttributeValue } from './span.ts';

/**
 * The span attributes that rules, headers and the report read; a span store keeps no others.
 * `kept-attributes.test.ts` proves that the list is complete.
 */
export const keptAttributes = [
  ...['http.request.method', 'http.method', 'method'],
  ...[
    'url.full',
    'http.url',
    'url.path',
    'http.target',
    'http.path',
    'http.route',
    'url.scheme',
    'http.scheme',
  ],
  ...['http.response.status_code', 'http.status_code', 'status'],
  ...['server.address', 'server.port', 'net.host.name', 'net.host.port', 'net.peer.name', 'net.peer.port'],
  ...['network.peer.address', 'network.peer.port', 'net.sock.peer.addr', 'net.sock.peer.port', 'net.peer.ip'],
  ...['user_agent.original', 'http.user_agent'],
  ...['http.request.resend_count', 'http.resend_count'],
  ...['error.type', 'http.error_name', 'http.error_message', 'exception'],
  ...['rpc.system.name', 'rpc.system', 'rpc.service', 'rpc.method', 'component'],
  ...['rpc.response.status_code', 'rpc.grpc.status_code'],
  ...['asgi.event.type', 'messaging.system', 'messaging.message.id', 'messaging.message_id', 'faas.trigger'],
  ...[
    'bullmq.job.id',
    'messaging.bullmq.job.id',
    'bullmq.queue.name',
    'oban.job.job_id',
    'messaging.oban.job_id',
  ],
  ...['faas.invoked_name', 'faas.invoked_region', 'aws.lambda.invoked_arn', 'cloud.resource_id', 'faas.id'],
  ...['temporalWorkflowID', 'workflowId', 'run_id'],
  ...['messaging.message.conversation_id', 'messaging.conversation_id'],
  ...['messaging.destination.name', 'messaging.destination', 'messaging.source.name'],
  ...['messaging.rabbitmq.destination.routing_key', 'messaging.rabbitmq.routing_key'],
  ...['messaging.operation.type', 'messaging.operation', 'messaging.batch.message_count'],
  ...['messaging.kafka.offset', 'messaging.kafka.message.offset', 'messaging.destination.partition.id'],
  ...['messaging.kafka.destination.partition', 'messaging.kafka.partition'],
  ...['mcp.method.name', 'mcp.session.id', 'jsonrpc.request.id', 'gen_ai.tool.name', 'gen_ai.prompt.name'],
  ...['service.peer.name', 'peer.service'],
  ...Object.values(droppedCounts),
  ...['db.system.name', 'db.system', 'db.statement', 'db.query.text'],
] as const;

/** Prefixes of further kept attributes. */
export const keptFamilies = [
  ...headerFamilies.request,
  ...headerFamilies.response,
  'baggage.',
  'app.baggage.',
] as const;

/** Rules only ask whether a span has these. Their values are long and may hold secrets, so an empty text is kept instead. */
export const presenceOnly: ReadonlySet<string> = new Set(['db.statement', 'db.query.text']);

const kept: ReadonlySet<string> = new Set(keptAttributes);

export function isKept(key: string): boolean {
  return kept.has(key) || keptFamilies.some((family) => key.startsWith(family));
}

export function keepAttributes(attributes: Attributes): Attributes {
  const left = new Map<string, AttributeValue>();
  for (const [key, value] of attributes) if (isKept(key)) left.set(key, presenceOnly.has(key) ? '' : value);
  return left;
}
