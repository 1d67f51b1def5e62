import t from 'tap'
import { mongoServer } from '../helpers/mongo.js'
import { serve } from '../helpers/servers.js'
import { runShown } from './readme.js'

const mongo = await mongoServer(t)
const TODO = { userId: 1, id: 1, title: 'delectus aut autem', completed: false }

t.test('what the web service gives is in MongoDB, once for each transfer', { skip: mongo.skip }, async (t) => {
  const { url, database, db } = await mongo.database(t)
  const todos = await serve(t, (_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(TODO))
  })
  const [{ stderr } = { stderr: '' }] = await runShown(t, 'Simple usage', {
    env: { TODO_URL: `${todos.url}/todos/1`, MONGODB_URL: url, MONGODB_DATABASE: database },
  })
  const steps = ['transfer', 'pulling', 'received', 'insert', 'written', 'done']
  for (const update of ['http_to_mongo.0', 'http_to_mongo.1']) {
    t.match(stderr, new RegExp(steps.map((step) => `${update} ${step}`).join('.*'), 's'))
  }
  const documents = await db.collection('test_collection').find().toArray()
  t.equal(documents.length, 2)
  for (const document of documents) t.match(document, TODO)
})
