"""Leaf & Kettle, a small tea shop to practise deployments with.

    PORT=8080 SHOP_VERSION=1.0.0 python app.py

It answers ``/``, ``/products/<id>``, ``/search?q=``, ``/cart``, ``/health``,
``/api/products`` and ``/api/products/<id>``, with its version in ``X-App-Version``. A
customer puts tea into the basket with ``POST /api/basket`` (JSON), sees it at
``GET /api/basket``, empties it with ``DELETE``, and buys with ``POST /api/orders`` (a
form with ``email``), which leads to ``/api/orders/<id>``. The basket is a cookie and an
order's id says what was bought, so that any task can answer. On SIGTERM it finishes
what it has begun. Python's standard library is all it needs.

``SHOP_FAULT`` makes it a version that must not go live:

=============  =====================================================================
crash          ends at the start with a traceback
error-page     answers 500 at ``/cart``; everything else is well
wrong-price    gives the API's prices in pence where they were pounds
wrong-version  is healthy, but says ``SHOP_OLD_VERSION`` in ``X-App-Version``
slow           answers after 1.5 s; ``/health`` at once
tires          answers 500 after its first 15 pages; ``/health`` still answers 200
lost-order     takes an order and forgets what was bought; each page is well
=============  =====================================================================
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import signal
import socket
import socketserver
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler
from string import Template
from urllib.parse import parse_qs, urlsplit

FAULTS = (
    *("none", "crash", "error-page", "wrong-price", "wrong-version", "slow"),
    *("tires", "lost-order"),
)
SLOWNESS = 1.5  # seconds
PAGES = 15  # before the fault ``tires``
MOST = 10_000  # bytes of a body
IDLE = 75  # seconds; longer than a load balancer keeps an idle connection


@dataclass(frozen=True)
class Product:
    """Something to buy; the price is in pence."""

    id: str
    name: str
    about: str
    pence: int
    colour: str


CATALOG = (
    Product("sencha", "Sencha", "Green, grassy, first flush", 750, "#7a9e58"),
    Product("assam", "Assam", "Malty, for the morning", 620, "#8c4a2f"),
    Product("earl-grey", "Earl Grey", "Bergamot and black tea", 680, "#4f5d75"),
    Product("rooibos", "Rooibos", "Red bush, no caffeine", 540, "#b3542d"),
    Product("jasmine", "Jasmine Pearls", "Hand rolled, scented", 1190, "#c2a14d"),
    Product("teapot", "Stoneware Teapot", "For four cups", 3400, "#5b7f86"),
)
PRODUCTS = {product.id: product for product in CATALOG}

PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title · Leaf &amp; Kettle</title>
<style>
  body { margin: 0; font: 17px/1.5 Georgia, serif; color: #2d2a26; background: #faf6ee }
  header, main, footer { max-width: 60rem; margin: auto; padding: 1.2rem 1.5rem }
  header { display: flex; gap: 1.5rem; align-items: baseline; flex-wrap: wrap }
  header b { font-size: 1.6rem; flex: 1 } a { color: inherit }
  input { font: inherit; padding: .2rem .6rem; border: 1px solid #cbbfa8 }
  ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr));
       gap: 1.2rem; padding: 0; list-style: none }
  li { background: #fff; border-radius: .6rem; overflow: hidden;
       box-shadow: 0 1px 4px #0002 }
  li i { display: block; height: 5rem } li div { padding: .8rem 1rem }
  li a { font-size: 1.2rem; text-decoration: none }
  li p { margin: .2rem 0; color: #777 }
  footer { color: #8a8175; font-size: .85rem }
</style>
<header><b><a href="/" style="text-decoration:none">Leaf &amp; Kettle</a></b>
<form action="/search"><input name="q" placeholder="Search teas" value="$query"></form>
<a href="/cart">Cart</a></header>
<main><h1>$title</h1>$body</main>
<footer>Leaf &amp; Kettle, tea since this morning · version $version</footer>
</html>
""")


EMPTY = "basket=; Path=/; Max-Age=0"


def packed(basket: Mapping[str, int]) -> str:
    """A basket as text for a cookie or an order number."""
    return base64.urlsafe_b64encode(json.dumps(basket).encode()).decode().rstrip("=")


def unpacked(text: str) -> dict[str, int]:
    """The basket in such a text; empty if the text is invalid."""
    try:
        basket = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return {str(name): int(basket[name]) for name in basket if name in PRODUCTS}
    except (ValueError, TypeError, AttributeError, KeyError):
        return {}


def cards(products: Iterable[Product]) -> str:
    """Show products as a person would like to see them."""
    return "<ul>{}</ul>".format(
        "".join(
            f'<li><i style="background:{product.colour}"></i><div>'
            f'<a href="/products/{product.id}">{escape(product.name)}</a>'
            f"<p>{escape(product.about)}</p>£{product.pence / 100:.2f}</div></li>"
            for product in products
        )
    )


class Visit(BaseHTTPRequestHandler):
    """One connection of a visitor."""

    server: Shop
    protocol_version = "HTTP/1.1"
    server_version = "Storefront"
    sys_version = ""
    timeout = IDLE
    wbufsize = -1  # head and body leave together
    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Come in; while the shop closes, say at once what is wanted."""
        super().setup()
        self.server.connections.add(self.connection)
        if self.server.draining:
            self.connection.shutdown(socket.SHUT_RD)

    def finish(self) -> None:
        """Leave."""
        self.server.connections.discard(self.connection)
        super().finish()

    def do_GET(self) -> None:
        """Answer."""
        url = urlsplit(self.path)
        if self.server.fault == "slow" and url.path != "/health":
            time.sleep(SLOWNESS)
        match url.path.strip("/").split("/"):
            case ["health"]:
                self.data({"status": "ok"})
            case _ if self.server.is_tired():
                text = "<p>All kettles are in use, and none comes back.</p>"
                self.page("Out of tea", text, HTTPStatus.INTERNAL_SERVER_ERROR)
            case ["api", *rest]:
                self.api(rest)
            case ["search"]:
                self.search(" ".join(parse_qs(url.query).get("q", [])))
            case ["cart"]:
                self.cart()
            case ["products", name] if name in PRODUCTS:
                self.page(PRODUCTS[name].name, cards([PRODUCTS[name]]))
            case [""]:
                self.page("Fresh teas", cards(CATALOG))
            case _:
                text = "<p>We looked behind every tin.</p>"
                self.page("Not found", text, HTTPStatus.NOT_FOUND)

    do_HEAD = do_GET  # noqa: N815 - http.server's name

    def do_POST(self) -> None:
        """Take something in."""
        body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), MOST))
        match urlsplit(self.path).path.strip("/").split("/"):
            case ["api", "basket"]:
                self.put(body)
            case ["api", "orders"]:
                self.order(parse_qs(body.decode(errors="replace")))
            case _:
                self.data({"error": "no such thing"}, HTTPStatus.NOT_FOUND)

    def do_DELETE(self) -> None:
        """Empty the basket."""
        if urlsplit(self.path).path == "/api/basket":
            self.send(HTTPStatus.NO_CONTENT, "text/plain", "", {"Set-Cookie": EMPTY})
        else:
            self.data({"error": "no such thing"}, HTTPStatus.NOT_FOUND)

    def put(self, body: bytes) -> None:
        """Put a product into the basket, which the visitor keeps."""
        try:
            item = json.loads(body)
            product, count = PRODUCTS[item["product"]], int(item.get("count", 1))
        except (ValueError, KeyError, TypeError, AttributeError):
            self.data({"error": "what product?"}, HTTPStatus.BAD_REQUEST)
            return
        basket = self.basket() | {product.id: count}
        cookie = f"basket={packed(basket)}; Path=/; HttpOnly; SameSite=Lax"
        answer = self.summary(basket)
        self.data(answer, HTTPStatus.CREATED, {"Set-Cookie": cookie})

    def order(self, form: Mapping[str, list[str]]) -> None:
        """Sell what is in the basket."""
        basket = self.basket()
        if not basket or "email" not in form:
            self.data({"error": "who buys what?"}, HTTPStatus.BAD_REQUEST)
            return
        number = packed({} if self.server.fault == "lost-order" else basket)
        to = {"Location": f"/api/orders/{number}", "Set-Cookie": EMPTY}
        self.data({"order": number, **self.summary(basket)}, HTTPStatus.CREATED, to)

    def basket(self) -> dict[str, int]:
        """What the visitor's cookie says is in the basket."""
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get("basket")
        return unpacked(cookie.value) if cookie else {}

    def summary(self, basket: Mapping[str, int]) -> dict[str, object]:
        """Say a basket as the API does."""
        lines = [
            {**self.described(PRODUCTS[name]), "count": count}
            for name, count in basket.items()
        ]
        pence = sum(PRODUCTS[name].pence * count for name, count in basket.items())
        is_wrong = self.server.fault == "wrong-price"
        return {"lines": lines, "total": pence if is_wrong else pence / 100}

    def api(self, path: list[str]) -> None:
        """Answer a program."""
        match path:
            case ["basket"]:
                self.data(self.summary(self.basket()))
            case ["orders", number] if unpacked(number):
                self.data({"order": number, **self.summary(unpacked(number))})
            case ["products"]:
                self.data([self.described(product) for product in CATALOG])
            case ["products", name] if name in PRODUCTS:
                self.data(self.described(PRODUCTS[name]))
            case _:
                self.data({"error": "no such thing"}, HTTPStatus.NOT_FOUND)

    def cart(self) -> None:
        """Show the cart."""
        if self.server.fault == "error-page":
            text = "<p>The basket service did not answer.</p>"
            self.page("Something broke", text, HTTPStatus.INTERNAL_SERVER_ERROR)
        else:
            self.page("Your cart", "<p>Empty, but the kettle is on.</p>")

    def search(self, words: str) -> None:
        """Show what has the words in its name or description."""
        found = [
            product
            for product in CATALOG
            if words.lower() in f"{product.name} {product.about}".lower()
        ]
        self.page(f"{len(found)} found", cards(found), query=words)

    def described(self, product: Product) -> dict[str, str | float]:
        """Say a product as the API does."""
        is_wrong = self.server.fault == "wrong-price"
        return {
            "id": product.id,
            "name": product.name,
            "price": product.pence if is_wrong else product.pence / 100,
            "currency": "GBP",
        }

    def page(
        self, title: str, body: str, status: HTTPStatus = HTTPStatus.OK, query: str = ""
    ) -> None:
        """Send a page."""
        text = PAGE.substitute(
            title=escape(title),
            body=body,
            query=escape(query),
            version=escape(self.server.version),
        )
        self.send(status, "text/html; charset=utf-8", text)

    def data(
        self,
        value: object,
        status: HTTPStatus = HTTPStatus.OK,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send JSON."""
        self.send(status, "application/json", json.dumps(value), headers)

    def send(
        self,
        status: HTTPStatus,
        content_type: str,
        text: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send an answer, with the version that gave it."""
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-App-Version", self.server.version)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if self.server.draining:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Keep quiet: the load balancer has the access log."""


class Shop(socketserver.ThreadingTCPServer):
    """The shop, open until SIGTERM."""

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, *, version: str, fault: str) -> None:
        self.version = version
        self.fault = fault
        self.draining = False
        self.pages = 0
        self.counting = threading.Lock()
        self.connections: set[socket.socket] = set()
        super().__init__((host, port), Visit)

    def is_tired(self) -> bool:
        """Count a page; whether the fault ``tires`` makes it fail."""
        if self.fault != "tires":
            return False
        with self.counting:
            self.pages += 1
            return self.pages > PAGES

    def drain(self) -> None:
        """Take no more visitors, and end each connection after its running answer."""
        self.draining = True
        self.shutdown()
        for connection in tuple(self.connections):
            try:
                connection.shutdown(socket.SHUT_RD)
            except OSError:
                continue  # it has just ended by itself


def main() -> None:
    """Open the shop."""
    env = os.environ
    parser = argparse.ArgumentParser(description="A small tea shop.")
    parser.add_argument("--host", default=env.get("HOST", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=env.get("PORT", "8080"))
    parser.add_argument("--version", default=env.get("SHOP_VERSION", "1.0.0"))
    parser.add_argument("--old-version", default=env.get("SHOP_OLD_VERSION", "0.9.0"))
    parser.add_argument(
        "--fault", choices=FAULTS, default=env.get("SHOP_FAULT") or "none"
    )
    options = parser.parse_args()
    if options.fault == "crash":
        raise RuntimeError("cannot open the shop: PRICE_LIST_URL is not set")
    version = options.version
    if options.fault == "wrong-version":
        version = options.old_version
    with Shop(options.host, options.port, version=version, fault=options.fault) as shop:
        signal.signal(
            signal.SIGTERM, lambda *_: threading.Thread(target=shop.drain).start()
        )
        host, port = shop.server_address[:2]
        print(f"storefront {version} is open at http://{host!s}:{port}", flush=True)
        shop.serve_forever(poll_interval=0.1)
    print("storefront is closed", flush=True)


if __name__ == "__main__":
    main()
