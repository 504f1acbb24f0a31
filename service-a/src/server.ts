import { serve } from 'service-kit/server';
import { buildApp } from './app.ts';
import * as telemetry from './telemetry.ts';

await serve(buildApp(telemetry.config), telemetry);
