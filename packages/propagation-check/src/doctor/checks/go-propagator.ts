import type { DoctorCheck } from '../check.ts';
import { listGoPrograms, setsProvider } from '../go-program.ts';
import { findFirst } from '../source-file.ts';

export const goPropagator: DoctorCheck = {
  id: 'go-propagator-missing',
  severity: 'error',
  title: 'The Go program sets no propagator',
  why: 'In Go the default propagator does nothing, and OTEL_PROPAGATORS is read by autoprop alone: no instrumentation sends a header or reads one.',
  fix: 'Call otel.SetTextMapPropagator beside otel.SetTracerProvider.',
  example: {
    language: 'go',
    text: 'otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(\n\tpropagation.TraceContext{}, propagation.Baggage{},\n))',
  },
  leadsTo: ['header-not-sent', 'header-ignored'],
  find: (project) => {
    const modules = listGoPrograms(project);
    // One module of a project may set the propagator for the others.
    const isSet = modules.some((module) =>
      module.mentions(/SetTextMapPropagator|autoprop|WithPropagators\s*\(|otelconf/),
    );
    return isSet
      ? []
      : modules.flatMap(({ sources }) =>
          sources.flatMap((source) => {
            const place = findFirst(source, setsProvider);
            return place === null
              ? []
              : [{ place, says: 'otel.SetTracerProvider is called, and otel.SetTextMapPropagator nowhere' }];
          }),
        );
  },
};
