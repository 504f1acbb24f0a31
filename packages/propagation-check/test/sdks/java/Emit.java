import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;

/** Emits one span through the exporter that OTEL_EXPORTER_OTLP_PROTOCOL names, with stock settings otherwise. */
public final class Emit {
  public static void main(String[] args) {
    var sdk = AutoConfiguredOpenTelemetrySdk.initialize().getOpenTelemetrySdk();
    sdk.getTracer("emit").spanBuilder("emitted").startSpan().end();
    sdk.close();
  }
}
