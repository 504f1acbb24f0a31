import { findFreePorts } from 'propagation-check/test/free-ports';

/** The URLs and variables of a stack of `docker-compose.yml`, which let it run beside other stacks on this machine. */
export interface StackPlace {
  /** As seen from the host. */
  readonly serviceA: URL;
  /** As seen from the host. */
  readonly serviceB: URL;
  /** As seen from the host. */
  readonly jaeger: URL;
  /** Variables of `docker-compose.yml` for this place. */
  readonly variables: Readonly<Record<string, string>>;
}

/** Second bytes of network addresses. The default network is 10.213.47, so 213 is not among them. */
const networks = { first: 214, count: 16 } as const;

/** Finds free ports, and a network that is most likely free. */
export async function findStackPlace(): Promise<StackPlace> {
  const [a = 0, b = 0, ui = 0] = await findFreePorts(3);
  return {
    serviceA: new URL(`http://127.0.0.1:${a}`),
    serviceB: new URL(`http://127.0.0.1:${b}`),
    jaeger: new URL(`http://127.0.0.1:${ui}`),
    variables: {
      SERVICE_A_PORT: String(a),
      SERVICE_B_PORT: String(b),
      JAEGER_UI_PORT: String(ui),
      CALLS_NETWORK: `10.${choose(networks)}.${choose({ first: 0, count: 256 })}`,
    },
  };
}

function choose({ first, count }: { readonly first: number; readonly count: number }): number {
  return first + Math.floor(Math.random() * count);
}
