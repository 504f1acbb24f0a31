/** A service in a sentence. */
export function nameService(service: string | null): string {
  return service ?? 'a service without a name';
}
