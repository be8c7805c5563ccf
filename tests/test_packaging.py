"""What is packaged runs by itself: nothing else of the project is needed."""

from __future__ import annotations

import json
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from support.importing import PROGRAM, modules
from support.sam import ENVIRONMENT, MISSING, SAM, Packages, build
from support.template import ROOT, of_type

from hookgate.codes import Code
from hookgate.version import VERSION

pytestmark = [
    pytest.mark.skipif(not SAM.exists(), reason=MISSING),
    pytest.mark.timeout(300),  # the first test waits for a build
]

FUNCTIONS = of_type("AWS::Serverless::Function")
RUNTIME_LAYERS = {"RuntimeLayerX86": 0x3E, "RuntimeLayerArm": 0xB7}  # ELF's e_machine
SECOND_LAYERS = {"SecondLayerX86": 0x3E, "SecondLayerArm": 0xB7}
PAIRS = list(zip(RUNTIME_LAYERS, SECOND_LAYERS, strict=True))
COMPILED = RUNTIME_LAYERS | SECOND_LAYERS
LAYERS = [*COMPILED, "ValidatorsLayer"]
#: The import names of the packages of the second layer.
HEAVY = (
    "grpc,grpc_health.v1.health_pb2_grpc,openapi_core,lxml.etree,lxml.html,cssselect"
)
#: What a function carries by default.
BASE = ("RuntimeLayerX86", "ValidatorsLayer")
#: What the layer stands on and Lambda has: boto3 and the packages it brings along.
OF_THE_RUNTIME = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six.py")


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    """The packages, built for deployment."""
    return build(tmp_path_factory, "deployed")


@pytest.fixture(scope="session")
def packages_here(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    """The same packages with wheels for the Python that runs the tests."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return build(tmp_path_factory, "here", LAMBDA_PYTHON=version)


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    """A folder with boto3, as /var/runtime has it."""
    import boto3  # noqa: PLC0415 - only to find its folder

    folder = tmp_path / "runtime"
    folder.mkdir()
    site = Path(boto3.__file__).parents[1]
    for name in (*OF_THE_RUNTIME, "urllib3"):
        (folder / name).symlink_to(site / name)
    return folder


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_holds_hooks_and_plans(packages: Packages, name: str) -> None:
    """A function's package is the folder hooks/ without what only building needs."""
    ours = {
        path.relative_to(ROOT)
        for path in (ROOT / "hooks").rglob("*.*")
        if "__pycache__" not in path.parts
    }
    folder = packages.folder / name
    assert ours == {path.relative_to(folder) for path in folder.rglob("*.*")}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_handler_stands_alone(
    packages_here: Packages, runtime: Path, name: str
) -> None:
    """A handler and all it may load come from the packages and boto3 alone."""
    done = subprocess.run(  # noqa: S603 - our own Python
        [
            *(sys.executable, "-I", "-S", "-B", "-c", PROGRAM),
            FUNCTIONS[name]["Handler"],
            ",".join(modules(packages_here)),
            packages_here.folder / name,
            *(packages_here.layer(each) for each in BASE),
            runtime,
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert "" == done.stderr
    assert 0 == done.returncode


def test_handler_needs_the_layer(packages_here: Packages, runtime: Path) -> None:
    """Without the layer a handler does not load: the test above sees what is amiss."""
    done = subprocess.run(  # noqa: S603 - our own Python
        [
            *(sys.executable, "-I", "-S", "-B", "-c", PROGRAM),
            *("hooks.after_install.handler", ""),
            *(packages_here.folder / "AfterInstall", runtime),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert "No module named 'hookgate'" in done.stderr


def test_second_layer_loads(packages_here: Packages, runtime: Path) -> None:
    """With the second layer all that it is for comes from the layers alone."""
    done = subprocess.run(  # noqa: S603 - our own Python
        [
            *(sys.executable, "-I", "-S", "-B", "-c", PROGRAM),
            *("hooks.after_install.handler", HEAVY),
            packages_here.folder / "AfterInstall",
            *(packages_here.layer(each) for each in (*BASE, "SecondLayerX86")),
            runtime,
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert "" == done.stderr
    assert 0 == done.returncode


REFUSED = r"""
import sys
sys.path[:0] = sys.argv[1:]
from hookgate.plan import read_plan
from hookgate.registry import resolve
plan = "version: 1\nevents:\n  AfterAllowTestTraffic:\n    - use: grpc\n"
try:
    read_plan(plan, "shop.yaml", resolve)
except Exception as error:
    print(error)
"""


def test_plan_needs_the_second_layer(packages_here: Packages, runtime: Path) -> None:
    """Without it a plan that needs it is refused, with the parameter to set."""
    done = subprocess.run(  # noqa: S603 - our own Python
        [
            *(sys.executable, "-I", "-S", "-B", "-c", REFUSED),
            *(packages_here.layer(each) for each in BASE),
            runtime,
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert "" == done.stderr
    assert done.stdout.startswith("shop.yaml:4:7: the validator Grpc needs")
    assert "deploy with SecondLayer=true" in done.stdout
    assert done.stdout.endswith(f"[{Code.SECOND_LAYER}]\n")


def distributions(layer: Path) -> set[str]:
    """The packages of a layer, by the metadata that pip leaves."""
    return {path.name.partition("-")[0] for path in layer.glob("*.dist-info")}


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_layers_do_not_overlap(packages: Packages, first: str, second: str) -> None:
    """Both are laid into /opt/python, so no package is in both."""
    both = distributions(packages.layer(first)) & distributions(packages.layer(second))
    assert set() == both


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_all_layers_fit(packages: Packages, first: str, second: str) -> None:
    """All that a function unpacks stays under Lambda's 250 MB.

    docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """
    parts = ("AfterInstall", first, "ValidatorsLayer", second)
    files = (each for part in parts for each in (packages.folder / part).rglob("*"))
    assert sum(each.stat().st_size for each in files if each.is_file()) < 250_000_000


def test_validators_are_a_package(packages: Packages) -> None:
    """Every file of validators/ is there as ``hookgate_validators.<name>``."""
    ours, layer = (ROOT / "validators", packages.layer("ValidatorsLayer"))
    expected, packed = (
        {str(path.relative_to(root)) for path in root.rglob("*.py")}
        for root in (ours, layer / "hookgate_validators")
    )
    assert expected == packed


@pytest.mark.parametrize("layer", COMPILED)
def test_layer_has_no_boto3(packages: Packages, layer: str) -> None:
    """boto3 comes with Lambda and is not packaged a second time."""
    held = {path.name for path in packages.layer(layer).iterdir()}
    assert set() == held & {"boto3", "botocore", "s3transfer"}


@pytest.mark.parametrize("layer", LAYERS)
def test_layer_has_no_ballast(packages: Packages, layer: str) -> None:
    """A layer holds no tests, no bytecode of another Python and no type stubs."""
    ballast = re.compile(r"/(tests|__pycache__|bin)(/|$)|\.pyi$")
    held = (str(path) for path in packages.layer(layer).rglob("*"))
    assert [] == [path for path in held if ballast.search(path)]


@pytest.mark.parametrize("layer", LAYERS)
def test_layer_is_small(packages: Packages, layer: str, tmp_path: Path) -> None:
    """A layer's zip stays under 15 MB."""
    folder = packages.layer(layer).parent
    archive = shutil.make_archive(str(tmp_path / layer), "zip", folder)
    assert Path(archive).stat().st_size < 15_000_000


@pytest.mark.parametrize("layer", COMPILED)
def test_layer_is_for_its_processor(packages: Packages, layer: str) -> None:
    """All compiled code of a layer is for the processor that it is named after."""
    libraries = list(packages.layer(layer).rglob("*.so*"))
    machines = {struct.unpack("<H", each.read_bytes()[18:20])[0] for each in libraries}
    assert {COMPILED[layer]} == machines


@pytest.mark.parametrize("layer", COMPILED)
def test_layer_is_for_lambdas_python(packages: Packages, layer: str) -> None:
    """All compiled code of a layer is for the Python of the template."""
    tags = {
        match[1]
        for path in packages.layer(layer).rglob("*.so")
        if (match := re.search(r"\.cpython-(\d+)-", path.name))
    }
    assert {"314"} == tags


def test_build_names_the_artifacts(packages: Packages) -> None:
    """The built template takes every function's code from the artifacts."""
    uris = {packages.resources[name]["Properties"]["CodeUri"] for name in FUNCTIONS}
    assert set(FUNCTIONS) == uris


def _entries(folder: Path) -> dict[str, tuple[int, float, bytes]]:
    """What an archive of a folder would contain: each file's mode, time and content."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mode,
            path.stat().st_mtime,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in folder.rglob("*")
    }


def test_layer_is_reproducible(packages: Packages, tmp_path: Path) -> None:
    """A second build on another day, with another umask, gives the same files."""
    source, artifacts = tmp_path / "layer", tmp_path / "artifacts"
    shutil.copytree(ROOT / "layer", source)
    subprocess.run(
        ["/bin/sh", "-c", "umask 077 && make build-RuntimeLayerX86"],
        cwd=source,
        env={**os.environ, **ENVIRONMENT, "ARTIFACTS_DIR": str(artifacts)},
        check=True,
        capture_output=True,
    )
    assert _entries(packages.layer("RuntimeLayerX86")) == _entries(artifacts / "python")


def test_sbom_lists_every_package_with_its_hashes(tmp_path: Path) -> None:
    """`make build` writes what can be deployed in CycloneDX's form."""
    file = tmp_path / "sbom.json"
    subprocess.run(  # noqa: S603 - our own Makefile
        ["/usr/bin/make", str(file), f"SBOM={file}"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    content = json.loads(file.read_text())
    locks = ("layer/requirements.txt", "layer/second/requirements.txt")
    locked = {
        (match[1], match[2])
        for lock in locks
        for match in re.finditer(
            r"^([\w-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE
        )
    }
    assert locked == {(c["name"], c["version"]) for c in content["components"]}
    assert all(
        reference["hashes"]
        for component in content["components"]
        for reference in component["externalReferences"]
    )
    own = content["metadata"]["component"]
    assert ("hookgate", VERSION) == (own["name"], own["version"])
