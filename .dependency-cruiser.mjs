/**
 * Import rules. Checked by `npm run check`; each rule has its reason in `comment`.
 * A package is a workspace of package.json. TypeScript 7 has no API that dependency-cruiser can use, so swc parses.
 */
import { readFileSync } from 'node:fs';
import { Visitor } from '@swc/core/Visitor.js';

// swc parses `using`, and its visitor stops at it (1.16.22): pass it by, what it declares imports nothing.
const { visitStatement } = Visitor.prototype;
Visitor.prototype.visitStatement = function visit(statement) {
  return statement.type === 'UsingDeclaration' ? statement : visitStatement.call(this, statement);
};

const manifest = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
/** The deeper ones first: `lab/account` before `lab`. */
const packages = manifest.workspaces.toSorted().toReversed().join('|').replaceAll('*', '[^/]+');
const checker = 'packages/propagation-check/src';
/** The rooms of the engine in the order in which data pass them. */
const engine = ['util', 'span', 'expect', 'graph', 'calls', 'headers', 'pairing', 'rules', 'verdict'];

/** Nothing in `from` imports anything in `to`. */
const forbid = (name, comment, from, to) => ({
  name,
  severity: 'error',
  comment,
  from: typeof from === 'string' ? { path: from } : from,
  to: typeof to === 'string' ? { path: to } : to,
});

const rooms = (names) => `^${checker}/(${names})/`;
/** Where results are made of data and shown. */
const users = 'collect|sink|library|cli';
const reachesOut =
  '^(node:)?(fs|fs/promises|http|https|http2|net|tls|child_process|dgram)$|node_modules/undici';

export default {
  forbidden: [
    forbid(
      'no-circle',
      'Modules that import each other cannot be read, tested or moved one by one.',
      {},
      { circular: true },
    ),
    forbid(
      'not-past-exports',
      'A package is free to change whatever its exports do not name. Import it by its name.',
      { path: `^(${packages})/` },
      { path: `^(${packages})/`, pathNot: '^$1/', dependencyTypes: ['local'] },
    ),
    forbid(
      'resolvable',
      'An import that leads nowhere is a file that was moved, or a name that the exports do not have. A test runner is its user’s.',
      { pathNot: '^packages/propagation-check/runners/' },
      { couldNotResolve: true },
    ),
    forbid(
      'package-is-declared',
      'A package that is not in the package.json of its user is missing where only that user is installed: in images, and after publishing.',
      { path: `^(${packages})/(src/|[^/]+[.]ts$)` },
      { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    ),
    forbid(
      'no-development-package',
      'npm installs no devDependencies of a package that is published. A peer is its user’s.',
      '^packages/(?!service-kit/)[^/]+/src/',
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm-peer'] },
    ),
    forbid(
      'services-stand-alone',
      'Each service is readable on its own, and works without checker, demo and lab.',
      '^service-[ab]/',
      '^(packages/propagation-check|scripts|lab|faults)/',
    ),
    forbid(
      'service-apart-from-service',
      'Two services of a real system share packages, not sources.',
      { path: '^(service-[ab])/' },
      { path: '^service-[ab]/', pathNot: '^$1/' },
    ),
    forbid(
      'packages-know-no-user',
      'Packages are published: they know nothing of the demo, its services or the lab. service-kit is private.',
      '^packages/(?!service-kit/)',
      '^(scripts|lab|faults|init|service-[ab])/',
    ),
    forbid(
      'demo-without-lab',
      'The lab tests the demo; the demo needs no more of it than the account.',
      '^scripts/',
      {
        path: '^lab/',
        pathNot: '^lab/account/',
      },
    ),
    forbid(
      'source-without-tests',
      'Code that runs does not depend on code that tests it.',
      { path: '/src/' },
      '/test/',
    ),
    forbid(
      'engine-is-pure',
      'The engine is pure: spans come in as data, results go out as data.',
      { path: `^${checker}/(${engine.join('|')})/`, pathNot: '/expect/read-[^/]+[.]ts$' },
      `${rooms(`source|report|decode|tap|packets|doctor|${users}`)}|^(node:)?[a-z0-9_/]+$|node_modules/undici`,
    ),
    ...engine
      .slice(0, -1)
      .map((room, at) =>
        forbid(
          `data-flow-one-way-from-${room}`,
          'Data pass the rooms of the engine in one direction, so each can be read without those behind it.',
          rooms(room),
          rooms(engine.slice(at + 1).join('|')),
        ),
      ),
    forbid(
      'decode-knows-bytes-only',
      'A decoder turns bytes into spans and knows nothing of where they come from.',
      rooms('decode'),
      `${rooms(`source|rules|verdict|report|${users}`)}|${reachesOut}`,
    ),
    forbid(
      'report-reads-nothing',
      'A report is a function of a result; it reads nothing and prints nothing.',
      rooms('report'),
      `${rooms(`source|decode/generated|${users}`)}|${reachesOut}`,
    ),
    forbid(
      'config-reads-text',
      'A configuration or a baseline is a text with a form; the command line makes options of it, and asks and judges.',
      rooms('config'),
      {
        path: `${rooms('source|tap|packets|decode|library|cli')}|node_modules/commander`,
        // The names alone.
        pathNot: '/source/source-specs[.]ts$',
      },
    ),
    forbid(
      'doctor-is-pure',
      'A check is a function of files that were read: read-project.ts alone reads.',
      { path: `^${checker}/doctor/`, pathNot: '/read-project[.]ts$' },
      reachesOut,
    ),
    forbid(
      'doctor-stands-alone',
      'doctor knows no spans: it shares the ids of findings, and how text is laid out, with the rest.',
      rooms('doctor'),
      {
        path: `^${checker}/`,
        pathNot: [
          `^${checker}/(doctor|util)/`,
          `^${checker}/rules/finding[.]ts$`,
          `^${checker}/report/(escape-text|layout)[.]ts$`,
        ],
      },
    ),
    forbid(
      'sources-do-not-judge',
      'Sources, taps and packets deliver data; what it means is decided later.',
      rooms('source|tap|packets'),
      rooms(`rules|verdict|report|doctor|${users}`),
    ),
    forbid(
      'collect-serves-both',
      'The command line and the library wait and judge alike. Each is an entrance of its own, and neither needs the other.',
      rooms('collect'),
      rooms('cli|library'),
    ),
    forbid(
      'library-without-command-line',
      'Tests import the library: without commands, arguments and exit codes.',
      `${rooms('library')}|^${checker}/index[.]ts$`,
      rooms('cli'),
    ),
    forbid(
      'command-line-without-library',
      'The command line does what the library does, from the same parts.',
      rooms('cli'),
      rooms('library'),
    ),
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: '(^|/)node_modules/' },
    exclude: {
      path: [
        '^packages/[^/]+/dist/',
        '/generated/',
        '/fixtures/',
        '/examples/',
        '/captures/',
        '/corpus/',
        '/[.]stryker-tmp/',
      ],
    },
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['trace-context-source', 'types', 'import', 'node', 'default'],
      extensions: ['.ts', '.mjs', '.js', '.json'],
      mainFields: ['main', 'types'],
    },
  },
};
