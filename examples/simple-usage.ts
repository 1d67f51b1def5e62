/** From a web service to a database: everything comes with databay. Needs `npm install undici@^7 mongodb@^7`. */
import { HttpInlet, Link, MongoOutlet } from 'databay'

export const todos = new Link({
  inlets: new HttpInlet(process.env['TODO_URL'] ?? 'https://jsonplaceholder.typicode.com/todos/1'),
  outlets: new MongoOutlet({
    // may name the database, as in mongodb://localhost:27017/mine; otherwise it is called databay
    url: process.env['MONGODB_URL'] ?? 'mongodb://localhost:27017',
    collection: 'test_collection',
  }),
  interval: { seconds: 5 },
  tags: 'http_to_mongo',
})
