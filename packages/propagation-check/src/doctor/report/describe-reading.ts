import type { Diagnosis } from '../examine.ts';
import type { FileKind } from '../files.ts';

const names: { readonly [Kind in FileKind]: readonly [one: string, many: string] } = {
  manifest: ['package.json', 'package.json'],
  lock: ['lock file', 'lock files'],
  installed: ['installed OpenTelemetry package', 'installed OpenTelemetry packages'],
  dockerfile: ['Dockerfile', 'Dockerfiles'],
  yaml: ['YAML file', 'YAML files'],
  env: ['env file', 'env files'],
  nginx: ['nginx file', 'nginx files'],
  haproxy: ['HAProxy file', 'HAProxy files'],
  caddy: ['Caddyfile', 'Caddyfiles'],
  requirements: ['Python manifest', 'Python manifests'],
  'go.mod': ['go.mod', 'go.mod'],
  'jvm-build': ['Java build file', 'Java build files'],
  source: ['JavaScript file', 'JavaScript files'],
  python: ['Python file', 'Python files'],
  go: ['Go file', 'Go files'],
  script: ['script', 'scripts'],
};

const kinds = Object.keys(names).filter((kind): kind is FileKind => kind in names);

/** `read 3 package.json, 1 YAML file; 27 checks`. */
export function describeReading({ read, checks }: Diagnosis): string {
  const parts = kinds.flatMap((kind) => {
    const count = read[kind] ?? 0;
    return count === 0 ? [] : [`${count} ${names[kind][count === 1 ? 0 : 1]}`];
  });
  return `read ${parts.length === 0 ? 'no file' : parts.join(', ')}; ${checks} checks`;
}

/** `2 errors, 1 warning`. */
export function countFindings({ findings, accepted }: Diagnosis): string {
  const parts = (['error', 'warning', 'note'] as const).flatMap((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    return count === 0 ? [] : [`${count} ${severity}${count === 1 ? '' : 's'}`];
  });
  const found = parts.length === 0 ? ['nothing found'] : parts;
  return [...found, ...(accepted === 0 ? [] : [`${accepted} accepted`])].join(', ');
}
