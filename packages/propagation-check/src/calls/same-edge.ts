interface Sides {
  readonly client: string | null;
  readonly server?: string | null;
}

/** Whether both are of the same two services, whatever the protocol. */
export function isSameEdge(left: Sides, right: Sides): boolean {
  return left.client === right.client && left.server === right.server;
}
