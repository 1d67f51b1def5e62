/** Whether a command can be run. */
export function has(command: string, argument: string): boolean
/** Path of the built server; `undefined` without Go, and when the modules it needs cannot be had. */
export function build(say?: (text: string) => void): Promise<string | undefined>
