/** For the tests of both services: processes, clients, and receivers of spans. */
export {
  CLIENT,
  collectSpans,
  ERROR,
  readAttribute,
  SERVER,
} from './collect-spans.ts';
export { fetchJson, type JsonObject } from './fetch-json.ts';
export { listen } from './listen.ts';
export { askHealth, openRaw, type RawClient } from './raw-client.ts';
export { runToEnd } from './run-to-end.ts';
export { type RawHeader, sendRaw } from './send-raw.ts';
export { standInForB } from './stand-in-b.ts';
export { type Service, startService } from './start-service.ts';
export { issue, issueTlsFiles } from './tls-files.ts';
