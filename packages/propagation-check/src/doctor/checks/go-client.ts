import type { DoctorCheck, Observation } from '../check.ts';
import { type GoProgram, listGoPrograms, setsProvider } from '../go-program.ts';
import { findFirst } from '../source-file.ts';

export const goClient: DoctorCheck = {
  id: 'go-client-not-instrumented',
  severity: 'warning',
  title: 'A Go client has no instrumentation',
  why: 'Nothing patches net/http or gRPC in Go: a request carries a header only if its transport, or its stats handler, is the one of otelhttp or otelgrpc.',
  fix: 'Give the client `otelhttp.NewTransport(http.DefaultTransport)`, or `grpc.WithStatsHandler(otelgrpc.NewClientHandler())`, and requests the context of their caller.',
  example: {
    language: 'go',
    text: 'client := &http.Client{Transport: otelhttp.NewTransport(http.DefaultTransport)}\nrequest, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)',
  },
  leadsTo: ['client-not-instrumented', 'header-not-sent'],
  find: (project) =>
    listGoPrograms(project)
      .filter((module) => module.mentions(setsProvider) && !module.mentions(/\.Inject\s*\(/))
      .flatMap((module) => [...judgeHttp(module), ...judgeGrpc(module)]),
};

/** Only where the servers are instrumented: such a program is meant to be traced, and its clients were forgotten. */
function judgeHttp({ sources, mentions }: GoProgram): readonly Observation[] {
  const isServer = mentions(
    /otelhttp\.NewHandler|otelhttp\.NewMiddleware|otelgin\.|otelecho\.|otelmux\.|otelchi\.|otelfiber\./,
  );
  if (
    !isServer ||
    mentions(/otelhttp\.(?:NewTransport|DefaultClient|Get|Post|Head)|otelresty|otelhttptrace|Transport\s*:/)
  )
    return [];
  return find(
    sources,
    /\bhttp\.(?:Get|Post|PostForm|Head)\s*\(|\bhttp\.DefaultClient\b|&?http\.Client\s*\{/,
    'net/http calls others, and otelhttp.NewTransport is used nowhere',
  );
}

function judgeGrpc({ sources, mentions }: GoProgram): readonly Observation[] {
  const isServer = mentions(/otelgrpc\.(?:NewServerHandler|UnaryServerInterceptor|StreamServerInterceptor)/);
  if (!isServer || mentions(/otelgrpc\.(?:NewClientHandler|UnaryClientInterceptor|StreamClientInterceptor)/))
    return [];
  return find(
    sources,
    /\bgrpc\.(?:NewClient|Dial|DialContext)\s*\(/,
    'a gRPC client is made, and otelgrpc.NewClientHandler is used nowhere',
  );
}

function find(sources: GoProgram['sources'], pattern: RegExp, says: string): readonly Observation[] {
  return sources
    .flatMap((source) => {
      // A connection to the Collector is not a call of the program.
      const place = /otlptracegrpc|otlpmetricgrpc/.test(source.text) ? null : findFirst(source, pattern);
      return place === null ? [] : [{ place, says }];
    })
    .slice(0, mostPlaces);
}

/** Further places of the same kind show nothing new. */
const mostPlaces = 3;
