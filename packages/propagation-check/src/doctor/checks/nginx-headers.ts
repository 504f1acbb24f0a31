import type { DoctorCheck, Observation } from '../check.ts';
import { type Directive, readNginx } from '../nginx-file.ts';
import { placeAt } from '../place.ts';
import type { ProjectFile } from '../project-file.ts';
import { isTraceHeader } from '../trace-headers.ts';

export const nginxHeaders: DoctorCheck = {
  id: 'nginx-drops-headers',
  severity: 'error',
  title: 'nginx does not pass the trace header on',
  why: 'nginx passes the headers of a request unless it is told not to. An empty `proxy_set_header` removes one, `proxy_pass_request_headers off` all of them.',
  fix: 'Remove the directive, or pass the header on.',
  example: { language: 'nginx', text: 'proxy_set_header traceparent $http_traceparent;' },
  leadsTo: ['header-stripped'],
  find: ({ ofKind }) =>
    ofKind('nginx').flatMap((file) => (readNginx(file) ?? []).flatMap((each) => judge(file, each, []))),
};

/** @param inForce The `proxy_set_header` directives that apply here: nginx inherits them only into a block without any of its own. */
function judge(
  file: ProjectFile,
  directive: Directive,
  inForce: readonly Directive[],
): readonly Observation[] {
  const { name, block, offset } = directive;
  if (block !== null) {
    const own = block.filter((each) => /^(?:proxy|grpc)_set_header$/.test(each.name));
    return block.flatMap((inner) => judge(file, inner, own.length > 0 ? own : inForce));
  }
  const [header = '', value] = directive.words;
  if (/^(?:proxy|grpc)_set_header$/.test(name) && value === '' && isTraceHeader(header))
    return [{ place: placeAt(file, offset), says: `${name} ${header} "" removes the header` }];
  const isSet = inForce.some(({ words: [set = ''] }) => isTraceHeader(set));
  if (name === 'proxy_pass_request_headers' && header === 'off' && !isSet)
    return [
      { place: placeAt(file, offset), says: 'no header of the request is passed on, and none is set here' },
    ];
  return [];
}
