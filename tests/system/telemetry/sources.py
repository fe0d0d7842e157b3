# SPDX-License-Identifier: Apache-2.0
"""The agent reads files that rotate, a broker, a socket, an exporter and the node, while it is killed again and again."""
import os
import shutil
import socket
import struct
import subprocess
import threading
import time

import sink
from node import die_with_parent, free_port, wait

SOURCES = """    sources:
      http: true
      files: [{{path: "{home}/logs/*.log"}}]
      socket: {{path: "{home}/in.sock"}}
      scrape: [{{url: "http://127.0.0.1:{port}/metrics", period: 1s, names: ["holdfast_agent_*", "process_*"]}}]
      node: {{period: 1s}}
{mqtt}"""
MQTT = """      mqtt: {{host: localhost, port: {port}, topics: ["sensors/#"]}}
"""


class Seen:
    """All events by id; a repeated event counts once."""

    def __init__(self):
        self.events, self.lock, self.before = {}, threading.Lock(), sink.events_of
        sink.events_of = self.keep

    def keep(self, body, content_type):
        events = self.before(body, content_type)
        with self.lock:
            for event in events:
                self.events.setdefault(event.get("id"), event)
        return events

    def of(self, source):
        with self.lock:
            return [event for event in self.events.values() if event.get("source", "").startswith(source)]

    def end(self):
        sink.events_of = self.before


class Writer(threading.Thread):
    """Writes numbered lines to a file and renames the file now and then."""

    def __init__(self, folder, rng):
        super().__init__(daemon=True)
        self.path, self.rng, self.written, self.going = os.path.join(folder, "app.log"), rng, 0, True
        self.renamed = time.monotonic()

    def run(self):
        names = 0
        while self.going:
            with open(self.path, "a", encoding="utf-8") as file:
                for _ in range(self.rng.randrange(1, 30)):
                    file.write(f"line {self.written}\n")
                    self.written += 1
            # Slow enough that the agent notices a file before its renaming: a faster rotation loses files with any reader that dies.
            if time.monotonic() - self.renamed > 8:
                names += 1
                os.rename(self.path, f"{self.path}.{names}")
                self.renamed = time.monotonic()
            time.sleep(0.02)

    def end(self):
        self.going = False
        self.join()


class Broker:
    """Runs mosquitto and a sensor that publishes with QoS 1."""

    def __init__(self, home):
        self.port, config = free_port(), os.path.join(home, "broker.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser root\nmax_queued_messages 0\n")
        self.process = subprocess.Popen([shutil.which("mosquitto", path="/usr/sbin:/usr/bin"), "-c", config], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent)
        self.published = 0
        self.sensor = wait("the broker", self.connect)
        self.send(b"\x10", b"\x00\x04MQTT\x04\x02\x00\x00\x00\x03pub")
        self.answer(4)

    def connect(self):
        try:
            return socket.create_connection(("127.0.0.1", self.port), timeout=10)
        except OSError:
            return None

    def send(self, first, rest):
        length, head = len(rest), b""
        while True:
            head += bytes([length & 127 | (128 if length > 127 else 0)])
            length >>= 7
            if not length:
                break
        self.sensor.sendall(first + head + rest)

    def answer(self, n):
        while n:
            n -= len(self.sensor.recv(n))

    def publish(self):
        topic, payload = b"sensors/a", b'{"id": "m-%d", "sensorData": {"n": %d}}' % (self.published, self.published)
        self.send(b"\x32", struct.pack(">H", len(topic)) + topic + struct.pack(">H", self.published % 65535 + 1) + payload)
        self.answer(4)
        self.published += 1

    def end(self):
        self.process.terminate()
        self.process.wait(10)


def give(home, text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        try:
            out.sendto(text, os.path.join(home, "in.sock"))
            return True
        except OSError:
            return False


def missing(seen, source, what, n):
    """Numbers below n that did not come; fails at once if one came twice."""
    numbers = [int(what(event)) for event in seen.of(source)]
    twice = {number for number in numbers if numbers.count(number) > 1} if len(numbers) != len(set(numbers)) else set()
    if twice:
        raise AssertionError(f"{source}: {len(twice)} twice under different ids: {sorted(twice)[:5]}")
    return sorted(set(range(n)) - set(numbers))


def noticed(lab, path):
    """True if the agent has saved a position in the current file."""
    try:
        with open(os.path.join(lab.node.storage, "sources", "files"), encoding="utf-8") as positions:
            return f" {os.stat(path).st_ino} " in positions.read()
    except OSError:
        return False


def sources_and_kills(lab):
    """kill -9 while files rotate and a broker delivers: each line and each message arrives once."""
    os.makedirs(os.path.join(lab.home, "logs"))
    seen = Seen()
    lab.ends.append(seen.end)
    broker = Broker(lab.home) if shutil.which("mosquitto", path="/usr/sbin:/usr/bin") else None
    if broker:
        lab.ends.append(broker.end)
    lab.up()
    lab.start(sources=lambda port: SOURCES.format(home=lab.home, port=port, mqtt=MQTT.format(port=broker.port) if broker else ""))
    writer = Writer(os.path.join(lab.home, "logs"), lab.rng)
    writer.start()
    if broker:  # the broker keeps the session from the first subscription on
        wait("the subscription", lambda: lab.node.metrics().get("holdfast_telemetry_mqtt_connected") == 1)
    for _ in range(lab.words.kills):
        for _ in range(20 if broker else 0):
            broker.publish()
        time.sleep(lab.rng.uniform(0.2, 2))
        lab.node.kill()
        lab.node.start(ready=False)
    wait("the agent to take events", lab.node.takes_events)
    wait("the last file to be noticed", lambda: noticed(lab, writer.path))
    lab.node.kill()
    writer.end()
    if noticed(lab, writer.path):  # renamed, and no further file follows
        os.rename(writer.path, f"{writer.path}.last")
    lab.node.start()
    lost = lambda: missing(seen, "file:", lambda event: event["body"].split()[1], writer.written)
    try:
        wait("every line", lambda: lab.node.alive() and not lost())
    except AssertionError as error:
        raise AssertionError(f"{error}: {len(lost())} of {writer.written} are missing, from {lost()[:1]} to {lost()[-1:]}") from None
    if broker:
        wait(f"{broker.published} messages", lambda: lab.node.alive() and
             not missing(seen, "mqtt:", lambda event: event["sensorData"]["n"], broker.published))
    wait("a datagram", lambda: give(lab.home, b"<11>through the socket") and seen.of("socket"))
    for source in ("scrape:", "node"):
        wait(source, lambda source=source: seen.of(source))
    lab.no_duplicates()
    lab.fact(f"{lab.words.kills} kills, {writer.written} lines of {len(os.listdir(os.path.join(lab.home, 'logs')))} files and "
             f"{broker.published if broker else 'no'} messages, each once")
