import { extname } from 'node:path';

/**
 * The script of the HTML report, `report/page/page.ts`. It is loaded for its text, by an address that only the runtime knows:
 * it is checked against the types of a browser, not with what imports it.
 */
export async function readPageScript(): Promise<string> {
  const address = new URL(`../report/page/page${extname(import.meta.url)}`, import.meta.url);
  const page: unknown = await import(address.href);
  if (typeof page !== 'object' || page === null || !('runPage' in page))
    throw new Error(`no script in ${address.href}`);
  return `(() => {\n${Object.values(page).map(String).join('\n')}\nrunPage();\n})()`;
}
