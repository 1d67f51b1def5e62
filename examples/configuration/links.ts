import { FileOutlet, Link, PrintOutlet, RandomIntInlet } from 'databay'

const sensor = () => new RandomIntInlet(15, 25)

export const room_north = new Link({ inlets: sensor(), outlets: new FileOutlet('north.txt'), interval: { minutes: 5 } })

export const room_south = new Link({ inlets: sensor(), outlets: new FileOutlet('south.txt'), interval: { minutes: 5 } })

export const show = new Link({ inlets: sensor(), outlets: new PrintOutlet(), interval: 5, tags: 'debug' })
