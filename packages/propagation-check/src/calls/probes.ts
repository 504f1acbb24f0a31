import type { CallFacts } from './call-facts.ts';

/** User agents of programs that ask for health and trace nothing: kubelet, load balancers of Google, AWS and Envoy, Consul. */
const probeAgent =
  /^(?:kube-probe\/|GoogleHC\/|GoogleStackdriverMonitoring-UptimeChecks|ELB-HealthChecker\/|Amazon-Route53-Health-Check-Service|Envoy\/HC|Consul Health Check)/;

/** Whether the request is of such a program. */
export function isFromProbe({ userAgent }: CallFacts): boolean {
  return userAgent !== null && probeAgent.test(userAgent);
}
