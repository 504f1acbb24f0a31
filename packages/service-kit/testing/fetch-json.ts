export type JsonObject = Readonly<Record<string, unknown>>;

export async function fetchJson(
  url: string,
  init?: RequestInit,
): Promise<{ readonly status: number; readonly body: JsonObject }> {
  const response = await fetch(url, init);
  const body: unknown = await response.json();
  if (!isJsonObject(body)) throw new Error(`${url} did not answer with an object`);
  return { status: response.status, body };
}

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
