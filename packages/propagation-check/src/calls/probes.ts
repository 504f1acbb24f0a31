import type { Span } from '../span/span.ts';
import { type CallFacts, readCallFacts, readMcp } from './call-facts.ts';
import type { FactSource } from './fact-source.ts';
import { readPath, readRoute } from './http-facts.ts';
import { readRpcMethod } from './rpc-facts.ts';

/** User agents of health checkers that do not trace: kubelet, load balancers of Google, AWS and Envoy, Consul. */
const probeAgent =
  /^(?:kube-probe\/|GoogleHC\/|GoogleStackdriverMonitoring-UptimeChecks|ELB-HealthChecker\/|Amazon-Route53-Health-Check-Service|Envoy\/HC|Consul Health Check)/;

export function isFromProbe({ userAgent }: CallFacts): boolean {
  return userAgent !== null && probeAgent.test(userAgent);
}

const probeNames = new Set(
  'health healthz healthcheck health-check health_check ready readyz readiness live livez liveness alive ping startupz metrics'.split(
    ' ',
  ),
);

/** Whether a SERVER span is a health probe or a scrape of metrics, by the usual names of such endpoints or the gRPC health service. */
export function isHealthProbe(span: Span): boolean {
  return areOfProbe(readCallFacts(span));
}

/** As `isHealthProbe`, without a view. */
export function isProbeCall(call: FactSource): boolean {
  const [path, route] = [readPath(call), readRoute(call)];
  return areOfProbe({ path, route, rpcMethod: readRpcMethod(call), mcp: readMcp(call) });
}

function areOfProbe({
  path,
  route,
  rpcMethod,
  mcp,
}: Pick<CallFacts, 'path' | 'route' | 'rpcMethod' | 'mcp'>): boolean {
  if (mcp?.method === 'ping') return true;
  if (rpcMethod?.startsWith('grpc.health.')) return true;
  return probeNames.has(lastSegment(path ?? route ?? '').toLowerCase());
}

function lastSegment(path: string): string {
  let end = path.length;
  while (path[end - 1] === '/') end -= 1;
  return path.slice(path.lastIndexOf('/', end - 1) + 1, end);
}
