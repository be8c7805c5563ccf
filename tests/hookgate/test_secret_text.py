"""What in a plan is taken for a literal secret, and what is not."""

from __future__ import annotations

import base64

import pytest

from hookgate.codes import Code
from hookgate.errors import PlanError
from hookgate.plan import beside, read_plan
from hookgate.redaction import literal_secret
from hookgate.registry import resolve

AUTHORIZATION = ("headers", "Authorization")
API_KEY = ("requests", 0, "headers", "X-Api-Key")
PASSWORD = ("json", "user", "password")


def basic(pair: str) -> str:
    """The value of an Authorization header with a name and a password."""
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


# Parts of tokens are joined here, so that no scanner finds them in this file.
SECRETS = [
    pytest.param(AUTHORIZATION, "Bearer abc", id="bearer"),
    pytest.param(AUTHORIZATION, basic("admin:admin"), id="basic"),
    pytest.param(AUTHORIZATION, "hunter2", id="without a scheme"),
    pytest.param(AUTHORIZATION, "Bearer $${x}abc", id="escaped placeholder"),
    pytest.param(("headers", "authorization"), "Token a1b2", id="lower case"),
    pytest.param(API_KEY, "k3y", id="API key"),
    pytest.param(("headers", "Private-Token"), "abc", id="token header"),
    pytest.param(PASSWORD, "hunter2", id="password"),
    pytest.param(("form", "client-secret", 0), "s3cr3t-value", id="in a list"),
    pytest.param(("variables", "api_key"), "0123456789", id="variable"),
    pytest.param(("path",), "/a?x=1&api_key=0123456789", id="parameter"),
    pytest.param(("path",), "/a?access%5Ftoken=0123456789", id="encoded parameter"),
    pytest.param(("body",), "key=AKIA" + "IOSFODNN7ABCDEFG", id="AWS"),
    pytest.param(("body",), "-----BEGIN RSA " + "PRIVATE KEY-----", id="PEM"),
    pytest.param(("body",), "ghp_" + "a1" * 18, id="GitHub"),
    pytest.param(("body",), "glpat-" + "a1" * 10, id="GitLab"),
    pytest.param(("body",), "xoxb-" + "1234567890", id="Slack"),
    pytest.param(("body",), "sk_live_" + "a1" * 8, id="Stripe"),
    pytest.param(
        ("body",), f"eyJ{'a' * 10}.eyJ{'b' * 10}.{'c' * 20}", id="JSON Web Token"
    ),
    pytest.param(("body",), "https://me:hunter2@shop.internal/", id="URL"),
    pytest.param(
        ("body",), "curl -H 'authorization: bearer 0123456789abcdef'", id="text"
    ),
]


@pytest.mark.parametrize(("path", "text"), SECRETS)
def test_secret(path, text):
    """What looks like a secret is one, and the message does not repeat it."""
    found = literal_secret(path, text)
    assert found
    assert text not in found


@pytest.mark.parametrize(
    ("path", "text"),
    [
        pytest.param(AUTHORIZATION, "Bearer ${secret.token}", id="placeholder"),
        pytest.param(AUTHORIZATION, "Bearer {{ token }}", id="variable"),
        pytest.param(AUTHORIZATION, "Bearer invalid", id="invalid bearer"),
        pytest.param(AUTHORIZATION, basic("test:test"), id="basic for tests"),
        pytest.param(AUTHORIZATION, "", id="empty"),
        pytest.param(API_KEY, "a-test-key", id="key for tests"),
        pytest.param(API_KEY, "no-such-key", id="no such key"),
        pytest.param(PASSWORD, "wrong-password", id="wrong password"),
        pytest.param(PASSWORD, "password", id="the word itself"),
        pytest.param(PASSWORD, "tea", id="short"),
        pytest.param(("headers", "X-Token-Count"), "12", id="other header"),
        pytest.param(("headers", "Accept"), "application/json", id="usual header"),
        pytest.param(("json", "keyboard"), "qwertyuiop", id="other key"),
        pytest.param(("expect", 0, "jsonpath"), "$.password", id="query"),
        pytest.param(("path",), "/search?q=green+tea&page=2", id="other parameter"),
        pytest.param(("path",), "/a?api_key={{key}}", id="parameter by variable"),
        pytest.param(("path",), "/password?token=${secret.t}", id="by placeholder"),
        pytest.param(("body",), "AKIAIOSFODNN7EXAMPLE", id="the example of AWS"),
        pytest.param(("body",), "https://me:${secret.p}@shop.internal/", id="URL"),
        pytest.param(("body",), "https://shop.internal:8080/a@b", id="port"),
        pytest.param(("body",), "the bearer of this letter", id="prose"),
    ],
)
def test_no_secret(path, text):
    """References, values for tests and other texts are not taken for secrets."""
    assert literal_secret(path, text) is None


PLAN = """version: 1
events:
  AfterAllowTestTraffic:
    - use: scenario
      with: {{steps: [{}]}}
"""


def read(folder, step):
    """Read a plan with one step of a scenario."""
    return read_plan(PLAN.format(step), "p.yaml", resolve, beside(folder / "p.yaml"))


@pytest.mark.parametrize(
    ("step", "place"),
    [
        pytest.param("{path: /, headers: {X-Api-Key: k3y-value}}", "5:53", id="plan"),
        pytest.param("{include: a.yaml}", "1:36", id="included"),
    ],
)
def test_plan_with_a_secret(tmp_path, step, place):
    """A plan with a literal secret is refused at its place; the value is not shown."""
    included = "steps: [{path: /, json: {password: hunter2}}]"
    (tmp_path / "a.yaml").write_text(included)
    with pytest.raises(PlanError) as raised:
        read(tmp_path, step)
    (problem,) = raised.value.problems
    found = f"{problem.place.line}:{problem.place.column}"
    assert (place, Code.OPTION_SECRET) == (found, problem.code)
    assert "${secret.NAME}" in problem.message
    assert not any(value in problem.message for value in ("k3y-value", "hunter2"))


def test_plan_with_a_value_for_tests(tmp_path):
    """A plan with a value for tests is read."""
    assert read(tmp_path, "{path: /, headers: {X-Api-Key: a-test-key}}")
