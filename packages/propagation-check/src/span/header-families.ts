/**
 * Prefixes of attribute names under which instrumentations record headers. Sources: OpenTelemetry semantic conventions, "HTTP"
 * (`http.request.header.<key>`), "gRPC" and "Connect RPC" (`rpc.<system>.request.metadata.<key>`, since 1.38 `rpc.request.metadata.<key>`);
 * opentelemetry-java-instrumentation, `CapturedMessageHeadersUtil.java` (`messaging.header.<key>`).
 */
export const headerFamilies = {
  request: [
    'http.request.header.',
    'rpc.request.metadata.',
    'rpc.grpc.request.metadata.',
    'rpc.connect_rpc.request.metadata.',
    'messaging.header.',
  ],
  response: [
    'http.response.header.',
    'rpc.response.metadata.',
    'rpc.grpc.response.metadata.',
    'rpc.connect_rpc.response.metadata.',
  ],
} as const;

export type HeaderSide = keyof typeof headerFamilies;
