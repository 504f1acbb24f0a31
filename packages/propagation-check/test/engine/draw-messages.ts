export const orders = 'messaging.system=rabbitmq messaging.destination.name=orders';

/**
 * A message whose service has one span for receiving and one for processing it, each with a link. The span names begin with letters in the
 * order of time.
 */
export const receivedAndProcessed = `
trace 1
  web PRODUCER "a send" 0..2 id:m ${orders}
trace 2
  worker CONSUMER "b receive" 10..20 link:m messaging.operation.type=receive ${orders}
trace 3
  worker CONSUMER "c process" 30..40 link:m messaging.operation.type=process ${orders}
`;
