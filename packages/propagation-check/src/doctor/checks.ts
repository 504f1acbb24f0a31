import type { DoctorCheck } from './check.ts';
import { caddyHeaders } from './checks/caddy-headers.ts';
import { configPropagator } from './checks/config-propagator.ts';
import { dockerfileRunExport } from './checks/dockerfile-run-export.ts';
import { envoyHeaders } from './checks/envoy-headers.ts';
import { exporterPath } from './checks/exporter-path.ts';
import { exporterPort } from './checks/exporter-port.ts';
import { goClient } from './checks/go-client.ts';
import { goPropagator } from './checks/go-propagator.ts';
import { haproxyHeaders } from './checks/haproxy-headers.ts';
import { javaAgentMissing } from './checks/java-agent-missing.ts';
import { nginxHeaders } from './checks/nginx-headers.ts';
import { nginxSpans } from './checks/nginx-spans.ts';
import { nodeApiApart } from './checks/node-api-apart.ts';
import { nodeBundled } from './checks/node-bundled.ts';
import { nodeClientNotInstrumented } from './checks/node-client-not-instrumented.ts';
import { nodeEsmWithoutHook } from './checks/node-esm-without-hook.ts';
import { nodeInjectsTwice } from './checks/node-injects-twice.ts';
import { nodeInstrumentationDisabled } from './checks/node-instrumentation-disabled.ts';
import { nodeNoInstrumentation } from './checks/node-no-instrumentation.ts';
import { nodeSdkLate } from './checks/node-sdk-late.ts';
import { nodeSdkMixed } from './checks/node-sdk-mixed.ts';
import { nodeSdkNotLoaded } from './checks/node-sdk-not-loaded.ts';
import { propagatorNotInstalled } from './checks/propagator-not-installed.ts';
import { propagatorsApart } from './checks/propagators-apart.ts';
import { propagatorsNone } from './checks/propagators-none.ts';
import { propagatorsUnknown } from './checks/propagators-unknown.ts';
import { pythonNotInstrumented } from './checks/python-not-instrumented.ts';
import { samplerOff } from './checks/sampler-off.ts';
import { samplerRatio } from './checks/sampler-ratio.ts';
import { samplerUnknown } from './checks/sampler-unknown.ts';
import { samplersApart } from './checks/samplers-apart.ts';
import { sdkDisabled } from './checks/sdk-disabled.ts';
import { tracesExporterNone } from './checks/traces-exporter-none.ts';
import { tracesExporterUnknown } from './checks/traces-exporter-unknown.ts';
import { traefikHeaders } from './checks/traefik-headers.ts';

/** All checks, in the order of the documentation. */
export const doctorChecks: readonly DoctorCheck[] = [
  nodeApiApart,
  nodeSdkMixed,
  nodeSdkNotLoaded,
  nodeSdkLate,
  nodeEsmWithoutHook,
  nodeBundled,
  nodeNoInstrumentation,
  nodeClientNotInstrumented,
  nodeInstrumentationDisabled,
  nodeInjectsTwice,
  pythonNotInstrumented,
  javaAgentMissing,
  goPropagator,
  goClient,
  dockerfileRunExport,
  propagatorsNone,
  propagatorsUnknown,
  propagatorNotInstalled,
  propagatorsApart,
  exporterPort,
  exporterPath,
  samplersApart,
  samplerOff,
  samplerUnknown,
  samplerRatio,
  tracesExporterNone,
  tracesExporterUnknown,
  sdkDisabled,
  configPropagator,
  nginxHeaders,
  nginxSpans,
  envoyHeaders,
  haproxyHeaders,
  caddyHeaders,
  traefikHeaders,
];
