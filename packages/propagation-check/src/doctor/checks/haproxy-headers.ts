import type { DoctorCheck } from '../check.ts';
import { findLines } from '../place.ts';
import { isTraceHeader } from '../trace-headers.ts';

export const haproxyHeaders: DoctorCheck = {
  id: 'haproxy-drops-headers',
  severity: 'error',
  title: 'HAProxy deletes the trace header',
  why: 'HAProxy passes the headers of a request on unless a rule deletes them.',
  fix: 'Remove the rule, or restrict it by a condition to requests from outside.',
  example: { language: 'haproxy', text: 'http-request del-header traceparent if !{ src 10.0.0.0/8 }' },
  leadsTo: ['header-stripped'],
  find: ({ ofKind }) =>
    ofKind('haproxy').flatMap((file) =>
      findLines(file, /^\s*http-request\s+del-header\s+(\S+)(.*)$/).flatMap(
        ({ place, groups: [name = '', rest = ''] }) =>
          isTraceHeader(name)
            ? [
                {
                  place,
                  says: `http-request del-header ${name}`,
                  // A condition may restrict the rule to requests from outside.
                  isUnsure: /\b(?:if|unless)\b/.test(rest),
                },
              ]
            : [],
      ),
    ),
};
