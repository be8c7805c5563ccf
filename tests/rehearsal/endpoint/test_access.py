"""Web pages, foreign names and clients without the access key are refused."""

import html
import http.client
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from support.browser import dom_of

from hookgate_rehearsal.endpoint.access import AccessControl, AccessKey
from hookgate_rehearsal.endpoint.front import EndpointServer, confirms

KEY = AccessKey("A_KEY_OF_THE_TESTS")
SIGNED = f"AWS4-HMAC-SHA256 Credential={KEY.id}/20260101/us-east-1/ecs/aws4_request"


class Endpoint:
    """An endpoint that records the requests that pass."""

    def __init__(self):
        self.asked, self.passed = [], []
        self._guarded = AccessControl(self._answer, KEY, "127.0.0.1", confirms)
        self.server = EndpointServer(self)
        self.server.start()
        self.port = int(self.server.url.rpartition(":")[2])

    def __call__(self, environ, start_response):
        self.asked.append(environ["HTTP_HOST"])
        return self._guarded(environ, start_response)

    def _answer(self, environ, start_response):
        self.passed.append(environ["HTTP_HOST"])
        start_response("200 OK", [("Content-Type", "application/x-amz-json-1.1")])
        return [b'{"clusterArns": []}']

    def status(self, *, method="POST", target="/", authorized=True, **headers):
        """The status of a request with these headers, unchanged."""
        sent = {"Host": f"127.0.0.1:{self.port}"}
        if authorized:
            sent["Authorization"] = SIGNED
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request(method, target, headers=sent)
        status = connection.getresponse().status
        connection.close()
        return status


@pytest.fixture(name="endpoint")
def _endpoint():
    endpoint = Endpoint()
    yield endpoint
    endpoint.server.close()


HOSTS = (
    *("127.0.0.1", "127.0.0.1:4510", "localhost", "localhost:4510", "LOCALHOST"),
    *("bucket.localhost:4510", "[::1]:4510", "172.17.0.1:4510"),
    "host.docker.internal:4510",
)


@pytest.mark.parametrize("host", HOSTS)
def test_own_names_pass(endpoint, host):
    """An AWS client on this machine or in a container reaches the endpoint."""
    assert (200, [host]) == (endpoint.status(Host=host), endpoint.passed)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:4510", "localhost.evil.example", "127.0.0.1.nip.io"],
)
def test_other_names_are_refused(endpoint, host):
    """A foreign name that points to this machine (DNS rebinding) is refused."""
    assert (403, []) == (endpoint.status(Host=host), endpoint.passed)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
def test_an_origin_is_refused(endpoint, method, origin):
    """Requests of a web page are refused with the right key too; so are preflights."""
    assert 403 == endpoint.status(method=method, Origin=origin)
    assert [] == endpoint.passed


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_request_that_a_page_caused_is_refused(endpoint, site):
    """An image or a link of a page has no Origin, but says from where it comes."""
    assert 403 == endpoint.status(method="GET", Sec_Fetch_Site=site)
    assert [] == endpoint.passed


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param(None, id="none"),
        pytest.param(SIGNED.replace(KEY.id, "rehearsal"), id="another key"),
        pytest.param(SIGNED.replace(KEY.id, KEY.id[:-1]), id="a part of the key"),
        pytest.param(SIGNED.replace(KEY.id, f"{KEY.id}X"), id="more than the key"),
        pytest.param("Bearer x", id="another scheme"),
    ],
)
def test_a_client_without_the_key_is_refused(endpoint, authorization):
    """Neither no key nor a wrong one passes."""
    more = {"Authorization": authorization} if authorization else {}
    assert 403 == endpoint.status(authorized=False, **more)
    assert [] == endpoint.passed


@pytest.mark.parametrize("key_id", [KEY.id, KEY.codedeploy, KEY.function("hook")])
def test_clients_of_the_emulator_pass(endpoint, key_id):
    """A person's client, CodeDeploy's and a function's have the key."""
    signed = SIGNED.replace(KEY.id, key_id)
    assert 200 == endpoint.status(authorized=False, Authorization=signed)


@pytest.mark.parametrize("key_id", [KEY.id, "rehearsal"])
def test_a_presigned_url_needs_the_key(endpoint, key_id):
    """A presigned URL of S3 has the key in its query."""
    client = _client("s3", endpoint, key_id)
    url = client.generate_presigned_url(
        "get_object", Params={"Bucket": "bucket", "Key": "object"}
    )
    target = url.partition(str(endpoint.port))[2]
    status = endpoint.status(method="GET", target=target, authorized=False)
    assert {KEY.id: 200, "rehearsal": 403}[key_id] == status


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("Action=ConfirmSubscription&TopicArn=t&Token=x", 200),
        ("Action=DeleteTopic&TopicArn=t&Token=Action=ConfirmSubscription&", 403),
        ("Action=DeleteTopic&TopicArn=t&Action=ConfirmSubscription", 403),
    ],
)
def test_only_a_confirmation_needs_no_key(endpoint, query, status):
    """A subscriber has its token; no other call can look like a confirmation."""
    sent = endpoint.status(method="GET", target=f"/?{query}", authorized=False)
    assert status == sent


CALLS = {
    "json": ("ecs", "list_clusters", {}, "UnrecognizedClientException"),
    "query": ("sns", "list_topics", {}, "InvalidClientTokenId"),
    "cbor": ("cloudwatch", "list_metrics", {}, "UnrecognizedClientException"),
    "xml": ("s3", "list_buckets", {}, "InvalidClientTokenId"),
    "rest": ("lambda", "list_functions", {}, "UnrecognizedClientException"),
}


def _client(service, endpoint, key_id):
    return boto3.client(
        service,
        endpoint_url=endpoint.server.url,
        region_name="us-east-1",
        aws_access_key_id=key_id,
        aws_secret_access_key="x",
        config=Config(
            retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}
        ),
    )


@pytest.mark.parametrize("protocol", CALLS)
def test_botocore_reads_the_refusal(endpoint, protocol):
    """The error has a code and says what to set, in the protocol of the service."""
    service, operation, request, code = CALLS[protocol]
    client = _client(service, endpoint, "rehearsal")

    with pytest.raises(ClientError) as refused:
        getattr(client, operation)(**request)

    error = refused.value.response["Error"]
    assert (code, True) == (error["Code"], "AWS_ACCESS_KEY_ID" in error["Message"])


PAGE = """<p id="results">the script did not run</p><script>
const endpoint = "%(endpoint)s", signed = "%(signed)s"
const own = {"X-Amz-Target": "AmazonEC2ContainerServiceV20141113.ListClusters"}
const attacks = {
  read: {},
  blind: {mode: "no-cors"},
  blind_post: {method: "POST", mode: "no-cors", body: "{}"},
  signed: {method: "POST", headers: {...own, Authorization: signed}, body: "{}"},
  signed_in_query: {query: "?X-Amz-Credential=" + encodeURIComponent("%(key)s/x")},
}
const attempt = async ([name, {query = "", ...options}]) => {
  try {
    const response = await fetch(endpoint + "/" + query, options)
    return [name, response.type === "opaque" ? "sent" : response.status]
  } catch (error) { return [name, "blocked"] }
}
Promise.all(Object.entries(attacks).map(attempt)).then(found => {
  results.textContent = JSON.stringify(Object.fromEntries(found))
})
</script>"""


@pytest.fixture(name="page_url")
def _page_url(endpoint):
    """A page of another origin that attacks the endpoint."""
    page = PAGE % {"endpoint": endpoint.server.url, "signed": SIGNED, "key": KEY.id}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_):
            """Write nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_page_in_a_browser_reaches_nothing(endpoint, page_url, tmp_path):
    """A page of another origin is refused, even if it knows the key."""
    dom = dom_of(page_url, tmp_path, "--virtual-time-budget=20000")
    found = re.search(r'<p id="results">(.*?)</p>', dom)
    results = json.loads(html.unescape(found[1]))
    assert {"read": "blocked", "blind": "sent", "blind_post": "sent"} == {
        name: results[name] for name in ("read", "blind", "blind_post")
    }
    assert {"signed": "blocked", "signed_in_query": "blocked"} == {
        name: results[name] for name in ("signed", "signed_in_query")
    }
    assert [] == endpoint.passed


def test_a_rebound_name_reaches_nothing(endpoint, tmp_path):
    """A page whose name was pointed to this machine gets the refusal alone."""
    host = f"evil.example:{endpoint.port}"
    dom_of(
        f"http://{host}/?X-Amz-Credential={KEY.id}/x",
        tmp_path,
        "--host-resolver-rules=MAP evil.example 127.0.0.1",
    )
    assert ({host}, []) == (set(endpoint.asked), endpoint.passed)


def test_random_keys_differ():
    """Each emulator has a key of its own."""
    assert AccessKey.random() != AccessKey.random()
