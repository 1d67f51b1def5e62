export function compiled(file: string, source: string, folder?: string): string
