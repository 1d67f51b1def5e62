/** Whether a command can be run. */
export function has(command: string, argument: string): boolean
/** Builds the server unless it is built; gives its path, or `undefined` without Go or without the modules it needs. */
export function build(say?: (text: string) => void): Promise<string | undefined>
