import { readAddress } from './address.ts';
import { type FactSource, readText } from './fact-source.ts';
import { readOperation } from './messaging-facts.ts';
import { readRpcMethod } from './rpc-facts.ts';

/** Source: semantic conventions, messaging spans, "Operation types"; `publish` is the name before 1.27. */
const sending: ReadonlySet<string> = new Set(['create', 'send', 'publish']);

/**
 * Methods that send to SQS, SNS, Google Pub/Sub and Cloud Tasks. Sources: opentelemetry-js-contrib, instrumentation-aws-sdk,
 * `src/services`; opentelemetry-go-contrib, `otelaws`; opentelemetry-python-contrib, `botocore/extensions/sqs.py`.
 */
const sendingMethods =
  /(?:^|\/)(?:S[QN]S\/(?:SendMessage|Publish)(?:Batch)?|google\.pubsub\.v1\.Publisher\/Publish|google\.cloud\.tasks\.\w+\.CloudTasks\/CreateTask)$/i;
/**
 * Methods of EventBridge, Kinesis, Step Functions and EventBridge Scheduler. SDKs name these services differently, and other services have
 * methods of the same names, so `isOfAws` is checked too.
 */
const sendingMethodsOfAws = /\/(?:PutEvents|PutRecords?|Start(?:Sync)?Execution|CreateSchedule)$/i;

/** Whether a CLIENT span sends messages to a broker or starts a function asynchronously. */
export function isSend(call: FactSource): boolean {
  if (call.kind !== 'CLIENT') return false;
  const operation = readOperation(call);
  if (operation !== null) return sending.has(operation);
  const method = readRpcMethod(call) ?? '';
  return sendingMethods.test(method) || (sendingMethodsOfAws.test(method) && isOfAws(call));
}

function isOfAws(call: FactSource): boolean {
  return readText(call, 'rpc.system.name', 'rpc.system') === 'aws-api';
}

/**
 * API hosts of SQS, SNS, EventBridge and Kinesis; of Event Grid, Event Hubs, Service Bus and Azure queues; of Google Pub/Sub and Cloud
 * Tasks.
 */
const brokerHosts =
  /^(?:sqs|sns|events|kinesis)\..*(?:\.amazonaws\.com(?:\.cn)?|\.localstack\.cloud)$|\.(?:eventgrid\.azure|servicebus\.windows|queue\.core\.windows)\.net$|(?:^|-)(?:pubsub|cloudtasks)\.googleapis\.com$/i;

/** Whether a call goes to the API of a broker. An HTTP span does not say whether the call sends, receives or settles messages. */
export function asksBroker(call: FactSource): boolean {
  return isSend(call) || (call.kind === 'CLIENT' && brokerHosts.test(readAddress(call).host ?? ''));
}
