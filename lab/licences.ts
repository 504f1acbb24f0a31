/** Licences that a dependency may have. */
import satisfies from 'spdx-satisfies';

/** SPDX ids. They require only that their text is passed on. MPL-2.0 also requires to publish changes of its files; this project makes none. */
export const allowedLicences = [
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC-BY-3.0',
  'CC-BY-4.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MPL-2.0',
  'Python-2.0',
  'Zlib',
] as const;

/** A component of a CycloneDX document, narrowed to what is used. */
export interface Component {
  readonly name: string;
  readonly version: string;
  /** Source: CycloneDX 1.5, `licenseChoice`: by SPDX id, by name, or one SPDX expression. */
  readonly licenses?:
    | readonly {
        readonly license?:
          | { readonly id?: string | undefined; readonly name?: string | undefined }
          | undefined;
        readonly expression?: string | undefined;
      }[]
    | undefined;
}

/** The licence as an SPDX expression or as its own name; null where none is stated. */
export function readLicence({ licenses = [] }: Component): string | null {
  const stated = licenses.map(({ license, expression }) => expression ?? license?.id ?? license?.name);
  if (stated.length === 0 || stated.includes(undefined)) return null;
  return stated.length === 1 ? (stated[0] ?? null) : stated.map((one) => `(${one})`).join(' AND ');
}

/** Neither null nor a name that is not an SPDX expression is allowed. */
export function isAllowed(licence: string | null): boolean {
  if (licence === null) return false;
  try {
    return satisfies(licence, [...allowedLicences]);
  } catch {
    return false;
  }
}
