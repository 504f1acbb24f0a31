/** A message of the Collector's debug exporter with one span: 16 lines, and the given end. */
export function debugMessage(end: string): string {
  return `2026-11-01T10:00:00.000Z\tinfo\tResourceSpans #0
Resource attributes:
     -> service.name: Str(web)
InstrumentationScope lib 1
Span #0
    Trace ID       : 0af7651916cd43dd8448eb211c80319c
    Parent ID      : 
    ID             : b7ad6b7169203331
    Name           : GET
    Kind           : Server
    Start time     : 2026-11-01 10:00:00 +0000 UTC
    End time       : 2026-11-01 10:00:00.1 +0000 UTC
    Status code    : Unset
    Status message : 
Attributes:
     -> http.request.method: Str(GET)
${end}`;
}
