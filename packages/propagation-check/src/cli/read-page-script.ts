import { findModule } from '../source/find-code-folder.ts';

/**
 * Loads the script of the HTML report, `report/page/page.ts`, as text. The address is computed, so that the compiler does not follow it:
 * the script is checked with the types of a browser, and this module with those of Node.js.
 */
export async function readPageScript(): Promise<string> {
  const { href } = findModule('report/page/page');
  const page: unknown = await import(href);
  if (typeof page !== 'object' || page === null || !('runPage' in page))
    throw new Error(`no script in ${href}`);
  return `(() => {\n${Object.values(page).map(String).join('\n')}\nrunPage();\n})()`;
}
