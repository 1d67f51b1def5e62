/** From a web service to a database, with nodes that come with databay. Needs `npm install undici@^7.20 mongodb@^7`. */
import { HttpInlet, Link, MongoOutlet } from 'databay'

// a link module has no arguments: threads inherit the environment, so that is where its settings come from
export const todos = new Link({
  inlets: new HttpInlet(process.env['TODO_URL'] ?? 'https://jsonplaceholder.typicode.com/todos/1'),
  outlets: new MongoOutlet({
    url: process.env['MONGODB_URL'] ?? 'mongodb://localhost:27017',
    database: process.env['MONGODB_DATABASE'] ?? 'databay',
    collection: 'test_collection',
  }),
  interval: { seconds: 5 },
  tags: 'http_to_mongo',
})
