import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asksBroker, isSend } from '../../src/calls/broker-api.ts';
import { drawTrace } from '../draw-trace.ts';

function read(is: typeof isSend, attributes: string, kind = 'CLIENT'): boolean {
  const [span] = drawTrace(`${kind} web call  a1  0..10 ${attributes}`);
  return span !== undefined && is(span);
}

test('a CLIENT span sends messages by its operation, or by the method of a broker', () => {
  const aws = (service: string, method: string) =>
    `rpc.system=aws-api rpc.service=${service} rpc.method=${method}`;
  for (const sends of [
    'messaging.operation.type=send',
    'messaging.operation.type=create',
    'messaging.operation=publish',
    aws('SQS', 'SendMessage'),
    aws('Sqs', 'SendMessageBatch'),
    aws('SNS', 'Publish'),
    aws('EventBridge', 'PutEvents'),
    'rpc.system.name=aws-api rpc.method=SQS/SendMessage',
    'rpc.system.name=aws-api rpc.method=SFN/StartExecution',
    'rpc.system=grpc rpc.service=google.pubsub.v1.Publisher rpc.method=Publish',
    'rpc.system=grpc rpc.service=google.cloud.tasks.v2.CloudTasks rpc.method=CreateTask',
  ]) {
    assert.ok(read(isSend, sends), sends);
    assert.ok(read(asksBroker, sends), sends);
    assert.ok(!read(isSend, sends, 'PRODUCER'), sends);
  }
  for (const other of [
    'messaging.operation.type=receive',
    `messaging.operation.type=settle ${aws('SQS', 'SendMessage')}`,
    aws('SQS', 'ReceiveMessage'),
    aws('Chat', 'SendMessage'),
    'rpc.system=grpc rpc.service=shop.Publisher rpc.method=Publish',
    'rpc.system=grpc rpc.service=todo.Tasks rpc.method=CreateTask',
    'rpc.system=grpc rpc.service=audit.Log rpc.method=PutEvents',
  ])
    assert.ok(!read(isSend, other), other);
});

test('the API of a broker has a host of its own', () => {
  const to = (host: string) => `http.request.method=POST url.full=https://${host}/`;
  for (const host of [
    'sqs.eu-west-1.amazonaws.com',
    'sns.cn-north-1.amazonaws.com.cn',
    'events.us-east-1.amazonaws.com',
    'kinesis.us-east-1.amazonaws.com',
    'sqs.us-east-1.localhost.localstack.cloud',
    'shop.westeurope-1.eventgrid.azure.net',
    'shop.servicebus.windows.net',
    'shop.queue.core.windows.net',
    'pubsub.googleapis.com',
    'europe-west1-pubsub.googleapis.com',
    'cloudtasks.googleapis.com',
  ]) {
    assert.ok(read(asksBroker, to(host)), host);
    assert.ok(!read(asksBroker, to(host), 'SERVER'), host);
    assert.ok(!read(isSend, to(host)), host);
  }
  for (const host of [
    's3.eu-west-1.amazonaws.com',
    'sqs.shop.example',
    'shop.blob.core.windows.net',
    'storage.googleapis.com',
    'pubsub.shop.example',
    'mypubsub.googleapis.com',
  ])
    assert.ok(!read(asksBroker, to(host)), host);
});
