import { serve } from 'service-kit/server';
import { buildApp } from './app.ts';
import { boundary, config, flushed, sdk } from './telemetry.ts';

const app = buildApp(config);
app.register(boundary.fastify);
await serve(app, config, { flushed, sdk });
