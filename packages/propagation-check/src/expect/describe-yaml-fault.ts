import type { YAMLParseError } from 'yaml';

/** Replaces those messages of the library that use its internal terms. */
const words: Readonly<Partial<Record<YAMLParseError['code'], string>>> = {
  BAD_ALIAS: 'an alias (*name) of nothing; quote a text that begins with *',
  BAD_INDENT: 'a bracket is not closed, or lines of one list or map are not indented alike',
  BAD_SCALAR_START: 'a text cannot begin with this character; quote it',
  BLOCK_AS_IMPLICIT_KEY: 'a second "key:" in one line; begin a new line, or quote the text',
  BLOCK_IN_FLOW: 'a list or map of lines inside of brackets; write it in brackets too',
  DUPLICATE_KEY: 'this key is here twice; name it once',
  MISSING_CHAR: 'a bracket or quote is not closed, or a comma is missing',
  MULTILINE_IMPLICIT_KEY: 'a key over several lines; is a colon missing?',
  MULTIPLE_DOCS: 'a second document begins here (---); expected one',
  TAB_AS_INDENT: 'a tab; indent with spaces',
  TAG_RESOLVE_FAILED: 'an unknown tag (!name); remove it',
  UNEXPECTED_TOKEN: 'not expected here; is a quote or a line break missing?',
};

/** Describes a fault in a YAML file and how to repair it. */
export function describeYamlFault({ code, message }: YAMLParseError): string {
  return words[code] ?? message.replace(/\s*\n\s*/g, ' ');
}
