"""The example shop, and the versions of it that must not go live."""

import json
import sys
import threading
import urllib.request
from pathlib import Path

import pytest
from support.data_plane import TIMEOUT, connect, eventually, get
from support.listeners import probe

from hookgate import Tools
from hookgate.deadline import Deadline
from hookgate.plan import read_plan
from hookgate.registry import resolve
from hookgate.testing import ScriptedAws, a_context, leads_nowhere, quiet_log
from hookgate_rehearsal.data_plane.processes import TaskProcess

APP = Path(__file__).parents[2] / "examples/storefront/app.py"


@pytest.fixture(name="opened")
def _opened():
    """Open shops."""
    tasks = []

    def opened(**env):
        task = TaskProcess([sys.executable, str(APP)], env=env)
        tasks.append(task)
        eventually(lambda: "open at" in task.output or task.exit_code is not None)
        return task

    yield opened
    for task in tasks:
        task.stop(0)


@pytest.mark.parametrize(
    ("path", "status", "content"),
    [
        pytest.param("/", 200, "Earl Grey", id="home"),
        pytest.param("/", 200, "version 1.2.3", id="footer"),
        pytest.param("/products/sencha", 200, "£7.50", id="product"),
        pytest.param("/search?q=tea", 200, "Stoneware Teapot", id="search"),
        pytest.param("/search?q=%3Cb%3E", 200, "&lt;b&gt;", id="search is escaped"),
        pytest.param("/search", 200, "6 found", id="empty search"),
        pytest.param("/cart", 200, "Your cart", id="cart"),
        pytest.param("/health", 200, "ok", id="health"),
        pytest.param("/api/products", 200, '"rooibos"', id="products"),
        pytest.param("/api/products/assam", 200, '"price": 6.2', id="api"),
        pytest.param("/api/products/coffee", 404, "no such thing", id="not in api"),
        pytest.param("/coffee", 404, "Not found", id="not found"),
    ],
)
def test_good(opened, path, status, content):
    """A good version answers, with its version in a header."""
    task = opened(SHOP_VERSION="1.2.3")
    answer, body = get(task.port, path)

    assert (status, "1.2.3") == (answer.status, answer.headers["X-App-Version"])
    assert content in body.decode()


def test_crash(opened):
    """A version that crashes says why."""
    task = opened(SHOP_FAULT="crash")

    assert 1 == task.wait(TIMEOUT)
    assert "Traceback" in task.output
    assert "PRICE_LIST_URL is not set" in task.output


def test_error_page(opened):
    """A version with a broken page is well everywhere else."""
    port = opened(SHOP_FAULT="error-page").port
    paths = ("/cart", "/", "/health", "/api/products")

    assert [500, 200, 200, 200] == [get(port, path)[0].status for path in paths]


def test_wrong_price(opened):
    """A version with wrong prices is wrong in its API only."""
    port = opened(SHOP_FAULT="wrong-price").port
    product = json.loads(get(port, "/api/products/sencha")[1])

    assert 750 == product["price"]
    assert "£7.50" in get(port, "/")[1].decode()


def ask(port, method, path, body=None, **headers):
    """The status, headers and JSON of an answer."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", body, headers, method=method
    )
    opener = urllib.request.build_opener(Quiet)
    with opener.open(request, timeout=TIMEOUT) as answer:
        text = answer.read()
    return answer.status, answer.headers, json.loads(text) if text else None


class Quiet(urllib.request.HTTPErrorProcessor):
    """Lets every status through."""

    def http_response(self, request, response):
        return response


def test_basket(opened):
    """The visitor's cookie keeps the basket, and the order says what was bought."""
    port = opened().port
    tea = b'{"product": "sencha", "count": 2}'
    status, headers, basket = ask(port, "POST", "/api/basket", tea)
    cookie = headers["Set-Cookie"].partition(";")[0]
    kept = ask(port, "GET", "/api/basket", Cookie=cookie)[2]
    form = b"email=a%40b.example"
    bought, to, order = ask(port, "POST", "/api/orders", form, Cookie=cookie)
    seen = ask(port, "GET", to["Location"])[2]

    assert (201, 201) == (status, bought)
    assert (15.0, 2) == (basket["total"], basket["lines"][0]["count"])
    assert (basket, order) == (kept, seen)
    assert 204 == ask(port, "DELETE", "/api/basket")[0]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        pytest.param("POST", "/api/basket", b"tea", 400, id="no JSON"),
        pytest.param("POST", "/api/basket", b'{"product": "coffee"}', 400, id="coffee"),
        pytest.param("POST", "/api/basket", b"[]", 400, id="array"),
        pytest.param("POST", "/api/orders", b"email=a", 400, id="empty basket"),
        pytest.param("GET", "/api/orders/nonsense", None, 404, id="no order"),
        pytest.param("POST", "/api/tea", b"", 404, id="no such thing"),
        pytest.param("DELETE", "/api/tea", None, 404, id="nothing to delete"),
    ],
)
def test_wrong_request(opened, method, path, body, status):
    """What makes no sense is answered as such."""
    assert status == ask(opened().port, method, path, body)[0]


@pytest.mark.parametrize(
    ("fault", "oks"),
    [
        pytest.param("none", [True] * 5, id="good"),
        pytest.param(
            "lost-order", [True, True, True, False, False, True], id="lost order"
        ),
        pytest.param("wrong-version", [False, False], id="another version"),
    ],
)
def test_checkout(opened, fault, oks):
    """The plan's scenario finds a fault that no single page shows."""
    port = opened(SHOP_FAULT=fault, SHOP_VERSION="1.0.0").port
    plan = APP.with_name("plan.yaml")
    steps = read_plan(plan.read_bytes(), "plan.yaml", resolve).events.values()
    step = next(each for own in steps for each in own if each.use == "scenario")
    ask_green = probe(port, identity=("X-App-Version", "1.0.0"))
    tools = Tools(
        http=ask_green,
        production=ask_green,
        aws=ScriptedAws({}),
        connect=leads_nowhere,
        deadline=Deadline.after(TIMEOUT),
        log=quiet_log(),
    )
    findings = list(step.validator.check(a_context(), tools))

    assert oks == [each.ok for each in findings], findings


def test_wrong_version(opened):
    """A version that says it is another one is healthy."""
    port = opened(SHOP_FAULT="wrong-version", SHOP_OLD_VERSION="1.0.0").port
    answer, _ = get(port, "/health")

    assert (200, "1.0.0") == (answer.status, answer.headers["X-App-Version"])


def test_slow(opened):
    """A slow version says that it is healthy while a page is still being made."""
    port = opened(SHOP_FAULT="slow").port
    pages = []
    page = threading.Thread(target=lambda: pages.append(get(port, "/")[0].status))
    page.start()
    healthy = get(port, "/health")[0].status
    pages_then = list(pages)
    page.join(TIMEOUT)

    assert (200, [], [200]) == (healthy, pages_then, pages)


def test_tires(opened):
    """A version that tires answers its first pages, then 500; its health stays well."""
    port = opened(SHOP_FAULT="tires").port
    pages = [get(port, "/")[0].status for _ in range(16)]

    assert [200] * 15 + [500] == pages
    assert 200 == get(port, "/health")[0].status


def test_head(opened):
    """HEAD is answered without a body."""
    answer, body = get(opened().port, "/", "HEAD")

    assert (200, b"") == (answer.status, body)


def test_drain(opened):
    """On SIGTERM, what has begun is finished, and idle connections are closed."""
    task = opened(SHOP_FAULT="slow")
    with connect(task.port) as idle, connect(task.port) as busy:
        idle.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"200 OK" in idle.recv(65536)
        busy.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"200 OK" in busy.recv(65536)
        busy.sendall(b"GET /cart HTTP/1.1\r\nHost: a\r\n\r\n")
        stopping = threading.Thread(target=task.stop, args=(TIMEOUT,))
        stopping.start()
        answer = b"".join(iter(lambda: busy.recv(65536), b""))
        assert b"" == idle.recv(1)
        stopping.join()

    assert (0, True, True) == (
        task.exit_code,
        b"200 OK" in answer,
        task.output.endswith("storefront is closed\n"),
    )


def test_kept_alive(opened):
    """A connection is kept for the next request."""
    with connect(opened().port) as client:
        for _ in range(2):
            client.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")

            assert b"200 OK" in client.recv(65536)


def test_flags():
    """Flags do what the environment does."""
    task = TaskProcess([sys.executable, str(APP), "--fault", "crash"])

    assert 1 == task.wait(TIMEOUT)
