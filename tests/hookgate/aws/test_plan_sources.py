"""Where plans come from: the first hit wins, and a broken source is no miss."""

import hashlib
import io
from dataclasses import replace

import boto3
import pytest
from botocore.response import StreamingBody
from support.coded import raises
from support.world import World, denied

from hookgate.aws.calls import AwsCalls
from hookgate.aws.plan_sources import PlanSources, SecretReader
from hookgate.codes import Code
from hookgate.context import DeploymentInfo
from hookgate.environment import Environment
from hookgate.errors import AccessDenied, CannotMeasure, PlanError, PlanOrigin
from hookgate.http.address import AddressPolicy

DEPLOYMENT = DeploymentInfo(
    id="d-1",
    application="shop",
    group="production",
    configuration="",
    cluster="c",
    service="s",
    region="eu-west-1",
    account="1",
)
PLAN = """
version: 1
events:
  AfterInstall:
    - use: task_definition
      name: {name}
"""


def text(name):
    """A plan whose only step bears the name of where it lies."""
    return PLAN.replace("{name}", name)


def sources(folder, aws=None, *, policy=None, **settings):
    """Plan sources with SSM and S3 switched on."""
    given = {
        "plan_parameter_prefix": "/plans",
        "plan_bucket": "plans",
        "plan_key_prefix": "p/",
        "plan_folder": folder,
        **settings,
    }
    policy = policy or AddressPolicy.of_stack("queue.internal")
    environment = Environment(**given)
    return PlanSources(aws=aws or AwsCalls(), policy=policy, settings=environment)


def name_of(plan):
    """Where the plan lay."""
    return next(iter(plan.events.values()))[0].name


ORDER = [
    "ssm:shop/production",
    "s3:shop/production",
    "ssm:shop",
    "s3:shop",
    "file:shop/production",
    "file:shop",
]
SOURCES = [
    pytest.param({"plan_bucket": ""}, id="ssm"),
    pytest.param({"plan_parameter_prefix": ""}, id="s3"),
    pytest.param({}, id="both"),
]
NO_SOURCE = {"plan_parameter_prefix": "", "plan_bucket": ""}


@pytest.fixture(name="bucket")
def _bucket(mocked_aws):
    bucket = boto3.resource("s3").Bucket("plans")
    bucket.create(CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return bucket


@pytest.mark.parametrize("first", range(len(ORDER)), ids=ORDER)
def test_order(first, bucket, tmp_path):
    """SSM and S3 come before files, the group's own before the application's."""
    for place in ORDER[first:]:
        kind, _, name = place.partition(":")
        content = text(place.replace(":", " "))
        if kind == "ssm":
            boto3.client("ssm").put_parameter(
                Name=f"/plans/{name}", Value=content, Type="String"
            )
        elif kind == "s3":
            bucket.put_object(Key=f"p/{name}.yaml", Body=content.encode())
        else:
            path = tmp_path / f"{name}.yaml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(content)

    assert ORDER[first].replace(":", " ") == name_of(sources(tmp_path).plan(DEPLOYMENT))


def bundled(folder):
    """The folder with a bundled plan in it."""
    (folder / "default.yaml").write_text(text("bundled"))
    return folder


@pytest.mark.parametrize("settings", SOURCES)
def test_missing_plan_is_not_the_bundled_one(bucket, tmp_path, settings):
    """Where a source is configured the bundled plan does not hide a missing plan."""
    boto3.client("ssm").put_parameter(
        Name="/plans/shpo/production", Value=text("misspelled"), Type="String"
    )

    with pytest.raises(CannotMeasure) as raised:
        sources(bundled(tmp_path), **settings).plan(DEPLOYMENT)
    assert Code.PLAN_MISSING == raised.value.code


def test_missing_plan_lists_the_names(bucket, tmp_path):
    """Without a plan the reason lists every name that was looked for, in order."""
    with pytest.raises(CannotMeasure) as raised:
        sources(tmp_path).plan(DEPLOYMENT)

    names = (
        "ssm:/plans/shop/production, s3://plans/p/shop/production.yaml, "
        "ssm:/plans/shop, s3://plans/p/shop.yaml, "
        f"{tmp_path}/shop/production.yaml, {tmp_path}/shop.yaml"
    )
    assert f"for shop/production; looked for {names}. " in str(raised.value)


@pytest.mark.parametrize("when_no_plan", [False, True])
def test_bundled_plan_without_a_source(tmp_path, when_no_plan):
    """Where no source is configured the bundled plan applies, without a waiver."""
    found = sources(
        bundled(tmp_path), World(), bundled_plan_when_no_plan=when_no_plan, **NO_SOURCE
    ).plan(DEPLOYMENT)

    assert ("bundled", ()) == (name_of(found), found.waivers)


@pytest.mark.parametrize("settings", SOURCES)
def test_bundled_plan_by_waiver(bucket, tmp_path, settings):
    """The bundled plan in place of a missing one is a waiver that names both."""
    found = sources(bundled(tmp_path), bundled_plan_when_no_plan=True, **settings).plan(
        DEPLOYMENT
    )

    (waiver,) = found.waivers
    assert "bundled" == name_of(found)
    assert [True] * 3 == [
        each in waiver
        for each in ("HG-PLAN-BUNDLED: ", "for shop/production", "shop.yaml")
    ]


@pytest.mark.parametrize("place", ["ssm:shop", "file:shop/production"])
def test_own_plan_needs_no_waiver(bucket, tmp_path, place):
    """A plan of the deployment's own comes before the bundled one."""
    kind, _, name = place.partition(":")
    if kind == "ssm":
        boto3.client("ssm").put_parameter(
            Name=f"/plans/{name}", Value=text("own"), Type="String"
        )
    else:
        (tmp_path / f"{name}.yaml").parent.mkdir()
        (tmp_path / f"{name}.yaml").write_text(text("own"))
    found = sources(bundled(tmp_path), bundled_plan_when_no_plan=True).plan(DEPLOYMENT)

    assert ("own", ()) == (name_of(found), found.waivers)


def test_application_called_default(bucket, tmp_path):
    """An application called "default" does not own the bundled plan."""
    with raises(CannotMeasure, Code.PLAN_MISSING):
        sources(bundled(tmp_path)).plan(replace(DEPLOYMENT, application="default"))


def test_nothing_at_all(tmp_path):
    """Without a source and without files the reason lists the bundled plan too."""
    with raises(CannotMeasure, Code.PLAN_MISSING):
        sources(tmp_path, World(), **NO_SOURCE).plan(DEPLOYMENT)


def origin_of(plan):
    """The origin of a plan whose text is that of ``text``."""
    sha256 = hashlib.sha256(text("found").encode()).hexdigest()
    assert sha256 == plan.origin.sha256
    return plan.origin.source, plan.origin.version


def test_origin_of_a_parameter(mocked_aws, tmp_path):
    """A plan in SSM tells the version of the parameter."""
    for content in (text("first"), text("found")):
        boto3.client("ssm").put_parameter(
            Name="/plans/shop", Value=content, Type="String", Overwrite=True
        )
    found = sources(tmp_path, plan_bucket="").plan(DEPLOYMENT)

    assert ("ssm:/plans/shop", "2") == origin_of(found)


def test_origin_of_an_object(bucket, tmp_path):
    """A plan in S3 tells the object's version id, where the bucket keeps versions."""
    place = "s3://plans/p/shop.yaml"
    bucket.put_object(Key="p/shop.yaml", Body=text("found").encode())
    unversioned = origin_of(sources(tmp_path).plan(DEPLOYMENT))
    bucket.Versioning().enable()
    version = bucket.put_object(Key="p/shop.yaml", Body=text("found").encode())
    versioned = origin_of(sources(tmp_path).plan(DEPLOYMENT))

    assert (place, None) == unversioned
    assert (place, version.version_id) == versioned


def test_origin_of_a_file(tmp_path):
    """A plan in a file has no version."""
    (tmp_path / "shop.yaml").write_text(text("found"))
    found = sources(tmp_path, World(), **NO_SOURCE).plan(DEPLOYMENT)

    assert (f"{tmp_path}/shop.yaml", None) == origin_of(found)


def test_origin_of_a_wrong_plan(mocked_aws, tmp_path):
    """A wrong plan tells which version of it was read."""
    boto3.client("ssm").put_parameter(
        Name="/plans/shop", Value="version: 2", Type="String"
    )
    with pytest.raises(PlanError) as raised:
        sources(tmp_path, plan_bucket="").plan(DEPLOYMENT)

    sha256 = hashlib.sha256(b"version: 2").hexdigest()
    origin = PlanOrigin(source="ssm:/plans/shop", version="1", sha256=sha256)
    assert origin == raised.value.plan


def test_target_that_the_stack_does_not_allow(bucket, tmp_path):
    """A plan may name what the stack lists; any other target has its own place."""
    plan = "target: {allow: ['queue.internal:5671', 'other.internal:80']}"
    (tmp_path / "shop.yaml").write_text(text("fine") + plan)

    with pytest.raises(PlanError) as found:
        sources(tmp_path).plan(DEPLOYMENT)
    (problem,) = found.value.problems
    assert (41, Code.ADDRESS) == (problem.place.column, problem.code)

    allowed = AddressPolicy.of_stack("*.internal")
    assert sources(tmp_path, policy=allowed).plan(DEPLOYMENT).target.allow


def test_wrong_plan_is_no_miss(bucket, tmp_path):
    """A plan that is wrong stops the search and names its place."""
    (tmp_path / "default.yaml").write_text(text("fine"))
    bucket.put_object(Key="p/shop.yaml", Body=b"version: 2")

    with raises(PlanError, Code.PLAN_MISSING_KEY, "s3://plans/p/shop.yaml:1"):
        sources(tmp_path).plan(DEPLOYMENT)


@pytest.mark.parametrize(
    ("service", "operation", "settings", "action"),
    [
        ("ssm", "get_parameter", {"plan_bucket": ""}, "ssm:GetParameter"),
        ("s3", "get_object", {"plan_parameter_prefix": ""}, "s3:GetObject"),
    ],
)
def test_denied_is_no_miss(tmp_path, service, operation, settings, action):
    """A source that may not be read stops the search and names the permission."""
    (tmp_path / "default.yaml").write_text(text("fine"))
    world = World()
    world.answers[service, operation] = denied(action.partition(":")[2])

    with raises(AccessDenied, "HG-ACCESS-DENIED", action):
        sources(tmp_path, world, bundled_plan_when_no_plan=True, **settings).plan(
            DEPLOYMENT
        )


def test_large_object(bucket, tmp_path):
    """A plan of 10 MB is refused without being read to its end."""
    bucket.put_object(Key="p/shop.yaml", Body=b"#" * 10 * 2**20)

    with raises(PlanError, Code.FILE_SIZE):
        sources(tmp_path).plan(DEPLOYMENT)


def test_large_file(tmp_path):
    """A file of 10 MB is refused likewise, without a digest of what was not read."""
    (tmp_path / "default.yaml").write_bytes(b"#" * 10 * 2**20)

    with raises(PlanError, Code.FILE_SIZE) as raised:
        sources(tmp_path, plan_parameter_prefix="", plan_bucket="").plan(DEPLOYMENT)
    assert raised.value.plan is None


def test_escape(tmp_path):
    """An application's name cannot lead out of the folder of plans."""
    folder = tmp_path / "plans"
    folder.mkdir()
    (tmp_path / "outside.yaml").write_text(text("outside"))
    outside = replace(DEPLOYMENT, application="../outside")

    with raises(CannotMeasure, Code.PLAN_MISSING):
        sources(folder, plan_parameter_prefix="", plan_bucket="").plan(outside)


def test_decrypted(tmp_path):
    """A parameter is asked for decrypted, for it may be a SecureString."""
    world = World()
    world.answers["ssm", "get_parameter"] = {
        "Parameter": {"Value": text("found"), "Version": 7}
    }
    sources(tmp_path, world).plan(DEPLOYMENT)

    asked = {"Name": "/plans/shop/production", "WithDecryption": True}
    assert [("ssm", "get_parameter", asked)] == world.calls


@pytest.mark.parametrize("name", ["a+b", "a=b", "a,b", "a@b"])
def test_name_that_no_parameter_has(name, tmp_path):
    """An application whose name SSM cannot hold has its plan elsewhere."""
    (tmp_path / f"{name}.yaml").write_text(text("file"))
    world = World()
    found = sources(tmp_path, world, plan_bucket="").plan(
        replace(DEPLOYMENT, application=name)
    )

    assert ("file", []) == (name_of(found), world.calls)


def test_object_breaks_off(tmp_path):
    """An object that breaks off is no miss."""
    (tmp_path / "default.yaml").write_text(text("fine"))
    world = World()
    short = StreamingBody(io.BytesIO(text("cut").encode()), 9999)
    world.answers["s3", "get_object"] = {"Body": short}

    with raises(CannotMeasure, Code.S3_OBJECT, "production.yaml"):
        sources(tmp_path, world, plan_parameter_prefix="").plan(DEPLOYMENT)


SCENARIO = """
version: 1
events:
  AfterAllowTestTraffic:
    - use: scenario
      with: {steps: [{include: steps/login.yaml}]}
"""


def test_file_beside_an_object(bucket, tmp_path):
    """A plan in S3 includes objects of the application's own folder."""
    bucket.put_object(Key="p/shop.yaml", Body=SCENARIO.encode())
    bucket.put_object(Key="p/shop/steps/login.yaml", Body=b"steps: [{path: /login}]")
    step = sources(tmp_path).plan(DEPLOYMENT).events["AfterAllowTestTraffic"][0]

    assert "/login" == step.validator.steps[0].steps[0].path


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(None, "HG-INCLUDE-MISSING", id="none"),
        pytest.param(b"#" * 2**21, "HG-INCLUDE-SIZE", id="large"),
    ],
)
def test_wrong_file_beside_an_object(bucket, tmp_path, body, code):
    """An object that cannot be included is an error at its place in the plan."""
    bucket.put_object(Key="p/shop.yaml", Body=SCENARIO.encode())
    if body:
        bucket.put_object(Key="p/shop/steps/login.yaml", Body=body)

    with raises(PlanError, code, "shop.yaml:6:32", "steps/login.yaml"):
        sources(tmp_path).plan(DEPLOYMENT)


def test_file_beside_a_parameter(bucket, tmp_path):
    """A plan in SSM has no files beside it, and says where to keep it."""
    boto3.client("ssm").put_parameter(Name="/plans/shop", Value=SCENARIO, Type="String")

    with raises(PlanError, Code.INCLUDE_MISSING, "ssm:/plans/shop:6:32"):
        sources(tmp_path).plan(DEPLOYMENT)


@pytest.fixture(name="read")
def _read(mocked_aws):
    client = boto3.client("secretsmanager")
    client.create_secret(Name="hookgate/token", SecretString="s3cret")
    client.create_secret(Name="hookgate/blob", SecretBinary=b"\0")
    return SecretReader(AwsCalls(), "hookgate/")


def test_secret(read):
    """The value is that of the secret whose name follows the prefix."""
    assert read("token") == "s3cret"


def test_missing_secret(read):
    """A secret that does not exist is an error without a value."""
    with raises(CannotMeasure, Code.AWS_REFUSED, "ResourceNotFoundException"):
        read("nothing")


def test_binary_secret(read):
    """A secret without text cannot go into a plan."""
    with raises(CannotMeasure, Code.SECRET):
        read("blob")


def test_no_prefix_of_secrets():
    """Without a prefix no plan may name a secret; the parameter to set is named."""
    with raises(CannotMeasure, Code.SECRET, "SecretPrefix"):
        SecretReader(AwsCalls(), "")("token")
