import type { DoctorCheck } from '../check.ts';
import { findLines } from '../place.ts';
import { isTraceHeader } from '../trace-headers.ts';

export const caddyHeaders: DoctorCheck = {
  id: 'caddy-drops-headers',
  severity: 'error',
  title: 'Caddy deletes the trace header',
  why: 'A name with `-` before it removes the header from the request that Caddy passes on.',
  fix: 'Remove the line.',
  example: { language: 'caddy', text: 'reverse_proxy orders:8080' },
  leadsTo: ['header-stripped'],
  // Source: Caddy documentation, `reverse_proxy` (`header_up`) and `request_header`.
  find: ({ ofKind }) =>
    ofKind('caddy').flatMap((file) =>
      findLines(file, /^\s*(?:header_up|request_header)\s+(?:[*/@]\S*\s+)?-(\S+)/).flatMap(
        ({ place, groups: [name = ''] }) =>
          isTraceHeader(name) ? [{ place, says: `-${name} removes the header from requests` }] : [],
      ),
    ),
};
