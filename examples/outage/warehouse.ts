/** The warehouse: takes readings, and says what is missing, or came twice. `node warehouse.js [PORT]`. */
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'

let [last, missing, twice] = [Number.NaN, 0, 0]

const server = createServer((request, response) => {
  void (async () => {
    const readings = (await json(request)) as number[]
    for (const reading of readings) {
      if (reading <= last) twice++
      else missing += Number.isNaN(last) ? 0 : reading - last - 1
      last = Number.isNaN(last) ? reading : Math.max(last, reading)
    }
    response.end()
    console.log(`${readings.length} readings; ${missing} missing, ${twice} twice`)
  })()
})
server.listen(Number(process.argv[2] ?? 8099), '127.0.0.1')
