"""A name server made of dnspython's messages, over UDP, TCP and TLS."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from support.worlds import leading, listening, options_of, server_context, trusting


@contextlib.contextmanager
def world(row):
    """A server that answers as ``rcode`` and the sections of the row say."""
    options = options_of("dns", row)
    trusting(options, row)
    options.setdefault("resolver", "10.0.0.2:53")
    tls = server_context() if options.get("transport") == "tls" else None

    def over_tcp(peer):
        size = struct.unpack("!H", peer.sock.recv(2))[0]
        wire = reply(row, peer.sock.recv(size), udp=False)
        peer.send(struct.pack("!H", len(wire)) + wire)

    with listening(over_tcp, tls) as port, datagrams(row, port):
        place = leading({**row, "outside": True}, port)
        yield {**row, "with": options}, place


@contextlib.contextmanager
def datagrams(row, port):
    """The same port over UDP."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", port))

    def serve():
        while True:
            wire, peer = server.recvfrom(4096)
            if not wire:
                return
            if not row.get("silent"):
                server.sendto(reply(row, wire, udp=True), peer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", port))
        thread.join()
        server.close()


def reply(row, wire, *, udp):
    if row.get("garbage"):
        return wire[:2] + b"\xff\xff garbage"
    query = dns.message.from_wire(wire)
    if "needs" in row:
        asked = f"{query.question[0]} {dns.flags.to_text(query.flags)}".strip()
        assert row["needs"] == asked
    answer = dns.message.make_response(query)
    answer.set_rcode(dns.rcode.from_text(row.get("rcode", "NOERROR")))
    if udp and row.get("truncated"):
        answer.flags |= dns.flags.TC
        return answer.to_wire()
    for section in ("answer", "authority", "additional"):
        for line in row.get(section, ()):
            name, ttl, rdclass, kind, data = line.split(" ", 4)
            group = dns.rrset.from_text(name, int(ttl), rdclass, kind, data)
            getattr(answer, section).append(group)
    return answer.to_wire()
