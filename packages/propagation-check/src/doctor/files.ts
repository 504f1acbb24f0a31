/** Kinds of files, recognised by their names. */
export type FileKind =
  | 'manifest'
  | 'lock'
  | 'installed'
  | 'dockerfile'
  | 'yaml'
  | 'env'
  | 'nginx'
  | 'haproxy'
  | 'caddy'
  | 'source'
  | 'python'
  | 'go'
  | 'go.mod'
  | 'requirements'
  | 'jvm-build'
  | 'script';

const kinds: readonly (readonly [FileKind, RegExp])[] = [
  ['installed', /(?:^|\/)node_modules\/.*\/package\.json$/],
  ['manifest', /(?:^|\/)package\.json$/],
  ['lock', /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|yarn\.lock)$/],
  [
    'dockerfile',
    /(?:^|\/)(?:(?:Docker|Container)file(?:\.[\w.-]+)?|[\w.-]+\.(?:[Dd]ocker|[Cc]ontainer)file)$/,
  ],
  ['haproxy', /(?:^|\/)haproxy[\w.-]*\.cfg$/],
  [
    'nginx',
    /(?:^|\/)(?:[\w.-]*nginx[\w.-]*\.conf|default\.conf|(?:nginx|conf\.d|sites-(?:available|enabled))\/(?:[^/]+\/)*[\w.-]+\.conf)(?:\.(?:template|tmpl|tpl))?$/,
  ],
  ['caddy', /(?:^|\/)(?:Caddyfile|[\w.-]+\.Caddyfile)$/],
  ['env', /(?:^|\/)(?:\.env(?:\.[\w-]+)*|[\w.-]+\.env)$/],
  ['yaml', /\.ya?ml$/],
  ['go.mod', /(?:^|\/)go\.mod$/],
  [
    'requirements',
    /(?:^|\/)(?:[\w.-]*requirements[\w.-]*\.(?:txt|in)|requirements\/[\w.-]+\.txt|pyproject\.toml|Pipfile|setup\.(?:py|cfg))$/,
  ],
  ['jvm-build', /(?:^|\/)(?:pom\.xml|build\.gradle(?:\.kts)?|[\w.-]+\.versions\.toml)$/],
  ['source', /(?<!\.d)\.[cm]?[jt]s$/],
  ['python', /\.py$/],
  ['go', /(?<!_test)\.go$/],
  [
    'script',
    /(?:^|\/)(?:Makefile|Procfile|ecosystem\.config\.\w+|[\w.-]+\.sh|\.npmrc|nixpacks\.toml|fly\.toml)$/,
  ],
];

export function kindOf(path: string): FileKind | null {
  return kinds.find(([, name]) => name.test(path))?.[0] ?? null;
}

/** Whether the file is a test, or was built or copied: such files do not run in production. */
export function isAside(path: string): boolean {
  return (
    /(?:^|\/)(?:tests?|__tests__|__mocks__|fixtures|testdata|e2e|specs?|cypress|playwright|\.github|\.git|vendor|third_party|dist|build|out|coverage|\.next|\.nuxt|target|__pycache__|\.?venv|site-packages|\.terraform|\.cache|\.yarn|\.idea|\.vscode)(?:\/|$)/.test(
      path,
    ) ||
    /[._-](?:test|spec|e2e|bench|stories)\.[cm]?[jt]s$|(?:^|\/)(?:test_[\w-]+|[\w-]+_test|conftest)\.py$/.test(
      path,
    )
  );
}
