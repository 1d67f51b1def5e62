"""databay 0.3.0 for Python, asked over standard input and output: one JSON object a line each."""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

from databay import Inlet, Link, Outlet
from databay.inlets.file_inlet import FileInlet
from databay.outlets.file_outlet import FileOutlet


def primes_below(limit):
    found = 0
    for candidate in range(2, limit):
        divisor = 2
        prime = True
        while divisor * divisor <= candidate:
            if candidate % divisor == 0:
                prime = False
                break
            divisor += 1
        if prime:
            found += 1
    return found


CITIES = ['Amsterdam', 'Rotterdam', 'Utrecht', 'Groningen']


def make_rows(count):
    return [{
        'id': id, 'name': f'sensor {id % 100}', 'value': id % 1000,
        'place': {'city': CITIES[id % 4], 'latitude': 52 + (id % 10) / 10, 'longitude': 4.9},
        'tags': ['indoor', 'v2'],
    } for id in range(count)]


def score(records):
    for record in records:
        record._payload = {**record.payload, 'value': record.payload['value'] * 2 + 1}
    return records


class NoInlet(Inlet):
    def pull(self, update):
        return []


class PrimesInlet(Inlet):
    def __init__(self, limit):
        super().__init__()
        self.limit = limit

    def pull(self, update):
        return primes_below(self.limit)


class RowInlet(Inlet):
    def __init__(self, count):
        super().__init__()
        self.count = count

    def pull(self, update):
        return make_rows(self.count)


class SumOutlet(Outlet):
    """What it was given, so that it can be seen whether the work was done."""

    def __init__(self):
        super().__init__()
        self.pushes = 0
        self.sum = 0

    def push(self, records, update):
        self.pushes += 1
        for record in records:
            payload = record.payload
            self.sum += payload['value'] if isinstance(payload, dict) else payload


class LineInlet(FileInlet):
    """Its lines end in line ends, and those of the outlet do, too."""

    def pull(self, update):
        line = super().pull(update)
        if not line:
            raise EOFError(self.filepath)
        return line.rstrip('\n')


class LineOutlet(FileOutlet):
    """Counts its pushes."""

    def __init__(self, filepath):
        super().__init__(filepath)
        self.pushes = 0
        self.sum = 0

    def push(self, records, update):
        super().push(records, update)
        self.pushes += len(records)


def make_link(asked):
    kind, size = asked['kind'], asked['size']
    if kind == 'lines':
        outlet = LineOutlet(asked['to'])
        return Link(LineInlet(asked['from']), outlet, 86400, tags='lines'), outlet
    outlet = SumOutlet()
    if kind == 'noop':
        return Link(NoInlet(), outlet, 86400, tags='noop'), outlet
    if kind == 'primes':
        return Link(PrimesInlet(size), outlet, 86400, tags='primes'), outlet
    return Link(RowInlet(size), outlet, 86400, tags='records', processors=score), outlet


def work(links, threads, seconds):
    """Each link transfers again as soon as it has; in one thread, or in a pool as the planner has it."""
    started = time.perf_counter()
    cpu = time.process_time()
    for link in links:
        link.on_start()

    def one(link):
        done = 0
        while done == 0 or time.perf_counter() - started < seconds:
            link.transfer()
            done += 1
        return done

    if threads == 1:
        done = one(links[0])
    else:
        with ThreadPoolExecutor(threads) as pool:
            done = sum(pool.map(one, links))
    took = time.perf_counter() - started
    cpu = time.process_time() - cpu
    for link in links:
        link.on_shutdown()
    return done, took, cpu


print(json.dumps({'version': version('databay')}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    made = [make_link(asked) for _ in range(asked['threads'])]
    done, took, cpu = work([link for link, _ in made], asked['threads'], asked['seconds'])
    answer = {
        'rate': done / took, 'cpu': cpu * 1e6 / done, 'done': done,
        'pushes': sum(outlet.pushes for _, outlet in made), 'sum': sum(outlet.sum for _, outlet in made),
    }
    print(json.dumps(answer), flush=True)
