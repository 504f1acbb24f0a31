import { findModule } from '../source/find-code-folder.ts';

/**
 * The script of the HTML report, `report/page/page.ts`. It is loaded for its text, by an address that only the runtime knows:
 * it is checked against the types of a browser, not with what imports it.
 */
export async function readPageScript(): Promise<string> {
  const { href } = findModule('report/page/page');
  const page: unknown = await import(href);
  if (typeof page !== 'object' || page === null || !('runPage' in page))
    throw new Error(`no script in ${href}`);
  return `(() => {\n${Object.values(page).map(String).join('\n')}\nrunPage();\n})()`;
}
