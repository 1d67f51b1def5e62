/**
 * Runs an S3 server on loopback for as long as standard input is open, and prints its port. Its data is in the folder
 * that the command line names, which is removed at the end.
 */
import { rmSync } from 'node:fs'
import S3rver from 's3rver'

const [directory] = process.argv.slice(2)
const server = new S3rver({ address: '127.0.0.1', port: 0, directory, silent: true, vhostBuckets: false })
const { port } = await server.run()
console.log(port)
process.stdin
  .on('end', () => {
    rmSync(directory, { recursive: true, force: true })
    process.exit()
  })
  .resume()
