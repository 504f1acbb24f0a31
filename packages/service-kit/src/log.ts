import { trace } from '@opentelemetry/api';
import { type FastifyReply, type FastifyRequest, type FastifyServerOptions, LogController } from 'fastify';
import { healthPath } from './health.ts';
import { logStream } from './log-stream.ts';
import { redactPath } from './redact.ts';

/** JSON lines with the ids of the active span, one line a request. */
export function createLogOptions(
  level: string,
): Pick<FastifyServerOptions, 'logger' | 'logController' | 'childLoggerFactory'> {
  return {
    logger: { level, stream: logStream, mixin: readActiveIds, serializers: { req: describeRequest } },
    logController: new AnsweredRequestLog(level),
    // The ids of the span say to which request a line belongs: a logger for each request would only cost.
    childLoggerFactory: (logger) => logger,
  };
}

/** At these, the line of a request would be made and then thrown away. */
const quietLevels = ['warn', 'error', 'fatal', 'silent'];

/** One line a request, once it is answered: what comes in is logged before a hand-made SERVER span has begun. */
class AnsweredRequestLog extends LogController {
  readonly #isQuiet: boolean;

  constructor(level: string) {
    super();
    this.#isQuiet = quietLevels.includes(level);
  }

  override incomingRequest(): void {}

  /** Its line has the whole URL in it, and the line below says the same. */
  override routeNotFound(): void {}

  override requestCompleted(
    error: Error | null | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
  ): void {
    if (this.#isQuiet || request.routeOptions.url === healthPath) return;
    request.log.info(
      {
        method: request.method,
        path: redactPath(request.url),
        status: reply.statusCode,
        duration_ms: Math.round(reply.elapsedTime),
        err: error ?? undefined,
      },
      'request completed',
    );
  }
}

/** For the lines that Fastify writes about a request that failed. */
function describeRequest(request: FastifyRequest): { readonly method: string; readonly path: string } {
  return { method: request.method, path: redactPath(request.url) };
}

/** For every log line; none where no span is active. */
function readActiveIds(): { readonly trace_id?: string; readonly span_id?: string } {
  const spanContext = trace.getActiveSpan()?.spanContext();
  return spanContext === undefined ? {} : { trace_id: spanContext.traceId, span_id: spanContext.spanId };
}
