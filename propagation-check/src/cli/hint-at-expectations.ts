import type { Expectation } from '../expectation.ts';
import type { Result } from '../result.ts';
import type { Span } from '../span.ts';
import { ownServiceName } from './drive-requests.ts';

const mostNames = 5;

/**
 * What an intact result without expectations does not say: a call without its other side is taken for one to a peer that
 * emits no spans, and a call without any span is not seen.
 */
export function hintAtExpectations(
  { verdict, findings, edges }: Result,
  spans: readonly Span[],
  { edges: expected }: Expectation,
): readonly string[] {
  if (verdict !== 'intact' || expected.length > 0) return [];
  const peers = findings.filter((finding) => finding.id === 'uninstrumented-peer');
  const calls = peers.reduce((sum, finding) => sum + finding.count, 0);
  if (calls > 0) {
    return [
      `${calls === 1 ? '1 call has' : `${calls} calls have`} no SERVER span and ${calls === 1 ? 'is' : 'are'} taken for calls to peers ` +
        'that emit none; if one of these peers is yours, name the edge with --expect "caller -> called"',
    ];
  }
  if (edges.some(({ client }) => client !== ownServiceName)) return [];
  const services = [...new Set(spans.map((span) => span.serviceName))].filter(
    (service) => service !== null && service !== ownServiceName,
  );
  if (services.length === 0) return [];
  const named = services.slice(0, mostNames).join(', ');
  const more = services.length > mostNames ? ` and ${services.length - mostNames} more` : '';
  return [
    `no call between services was seen, only spans of ${named}${more}; if one of them calls another service of yours, ` +
      'name the edge with --expect "caller -> called"',
  ];
}
