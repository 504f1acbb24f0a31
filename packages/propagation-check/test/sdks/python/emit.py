"""Emits one span through the exporter that OTEL_EXPORTER_OTLP_PROTOCOL names, with stock settings otherwise."""

import os

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as Grpc
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as Http
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

# gRPC is Python's default.
protocol = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(Grpc() if protocol == "grpc" else Http()))
provider.get_tracer("emit").start_span("emitted").end()
provider.shutdown()
