"""Whatever of an emulator is killed, no process and no port of it is left behind."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import urllib.error
import uuid
from dataclasses import dataclass
from pathlib import Path

import boto3
import psutil
import pytest
from support.emulator_setup import HERE, fetch, wait_for

ROOT = HERE.parents[1]
PATH = ":".join(str(each) for each in (ROOT, ROOT / "src", ROOT / "tests"))
SUPERVISOR = "supervisor.py"
SCRIPT = textwrap.dedent(
    """
    import dataclasses, json, os, sys, time
    from support.emulator_setup import IMAGES, SETTINGS, Setting, function
    from hookgate_rehearsal.production_traffic import ProductionClient
    import trustme
    from hookgate_rehearsal.emulator import Emulator
    mark = {"MARK": os.environ["MARK"]}
    images = {
        name: dataclasses.replace(image, environment={**image.environment, **mark})
        for name, image in IMAGES.items()
    }
    hooks = [function(name, environment=mark) for name in ("always_yes", "echo")]
    with Emulator(images=images, functions=hooks, settings=SETTINGS) as emulator:
        setting = Setting(emulator, desired=2).build()
        client = ProductionClient(port=setting.ports["production"])
        client.start()
        issued = trustme.CA().issue_cert("shop.example")
        certificate = emulator.client("acm").import_certificate(
            Certificate=issued.cert_chain_pems[0].bytes(),
            PrivateKey=issued.private_key_pem.bytes(),
        )["CertificateArn"]
        elbv2, listener = emulator.client("elbv2"), setting.listeners["test"]
        elbv2.modify_listener(
            ListenerArn=listener,
            Protocol="HTTPS",
            Certificates=[{"CertificateArn": certificate}],
        )
        setting.deploy("2", AfterInstall="always_yes")
        reported = {
            "endpoint": emulator.endpoint_url,
            "key": emulator.settings.key.id,
            **setting.ports,
        }
        print(json.dumps(reported), flush=True)
        sys.stdin.read()
        client.stop()
    """
)


@dataclass(frozen=True, kw_only=True)
class KilledEmulator:
    """An emulator in a process of its own, with a mark on all that it starts."""

    process: subprocess.Popen
    mark: str
    result: dict

    def marked(self):
        """The emulator's processes, its own included."""
        mark = f"MARK={self.mark}".encode()
        return [each for each in psutil.process_iter() if mark in _environ(each.pid)]

    def running(self, word, *, supervisor):
        """The processes of a part, or the supervisors that they hang on."""
        return [
            each
            for each in self.marked()
            if word in (text := _command(each)) and (SUPERVISOR in text) is supervisor
        ]

    def sockets(self):
        """Every socket that one of the processes listens with, by its inode."""
        sockets = listened_with(self.marked())
        assert {self.result["production"], self.result["test"]} <= {*sockets.values()}
        return set(sockets)

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.result["endpoint"],
            region_name="us-east-1",
            aws_access_key_id=self.result["key"],
            aws_secret_access_key="x",
        )


def _environ(pid):
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _inodes(pid):
    """The sockets that a process holds (proc_pid_fd(5))."""
    links = set()
    with contextlib.suppress(OSError):  # the process has ended
        for each in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                links.add(str(each.readlink()))
    return {link[8:-1] for link in links if link.startswith("socket:[")}


def _command(process):
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


@contextlib.contextmanager
def prepared(folder):
    """An emulator with production traffic, a TLS key and a running deployment."""
    mark = uuid.uuid4().hex
    with subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", SCRIPT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={
            "PYTHONPATH": PATH,
            "PATH": "/usr/bin:/bin",
            "MARK": mark,
            "TMPDIR": folder,
        },
    ) as process:
        try:
            result = json.loads(process.stdout.readline())
            yield KilledEmulator(process=process, mark=mark, result=result)
        finally:
            process.kill()


def listening():
    """The port of each listening socket, by its inode.

    A port that is free again may soon be another program's; a socket is not
    (proc_pid_net(5)).
    """
    rows = Path("/proc/net/tcp").read_text("utf-8").splitlines()[1:]
    fields = [row.split() for row in rows]
    return {f[9]: int(f[1].partition(":")[2], 16) for f in fields if f[3] == "0A"}


def listened_with(processes):
    """Those of them that one of the processes holds."""
    held = {inode for each in processes for inode in _inodes(each.pid)}
    return {inode: port for inode, port in listening().items() if inode in held}


def serves(port):
    """Whether a task answers; a load balancer may not yet know that one is gone."""
    try:
        return fetch(port) in {"1", "2"}
    except urllib.error.HTTPError:
        return False


def nothing_is_left(emulator, sockets, folder):
    """Wait until every process and socket is gone, then look for files."""
    wait_for(lambda: not emulator.marked())
    wait_for(lambda: not sockets & set(listening()))
    assert [] == [*folder.iterdir()]


@pytest.fixture(name="emulator", scope="module")
def _emulator(tmp_path_factory):
    with prepared(tmp_path_factory.mktemp("emulator")) as emulator:
        yield emulator


@pytest.mark.parametrize(
    "sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGABRT], ids=lambda each: each.name
)
def test_nothing_outlives_the_emulator(sent, tmp_path):
    """Tasks, functions, listeners, keys and traffic end with it, whatever ends it."""
    with prepared(tmp_path) as emulator:
        sockets = emulator.sockets()
        assert emulator.running("tiny_app.py", supervisor=False)
        assert emulator.running("awslambdaric", supervisor=False)
        emulator.process.send_signal(sent)

        nothing_is_left(emulator, sockets, tmp_path)


def test_a_closed_emulator_leaves_nothing(tmp_path):
    """Nor does anything stay when it ends of itself, in the middle of a deployment."""
    with prepared(tmp_path) as emulator:
        sockets = emulator.sockets()
        emulator.process.stdin.close()

        nothing_is_left(emulator, sockets, tmp_path)
        assert 0 == emulator.process.wait()


@pytest.mark.parametrize(
    ("word", "supervisor"),
    [
        pytest.param("tiny_app.py", False, id="a task"),
        pytest.param("tiny_app.py", True, id="a task's supervisor"),
        pytest.param("awslambdaric", False, id="a function"),
        pytest.param("awslambdaric", True, id="a function's supervisor"),
    ],
)
def test_a_killed_part_leaves_nothing(emulator, word, supervisor):
    """Its process group is gone and its port with it; the emulator makes another."""
    part = wait_for(lambda: emulator.running(word, supervisor=supervisor))[0]
    group = os.getpgid(part.pid)
    members = [each for each in emulator.marked() if _group(each) == group]
    sockets = set(listened_with(members))

    part.kill()

    wait_for(lambda: not [each for each in emulator.marked() if _group(each) == group])
    wait_for(lambda: not sockets & set(listening()))
    answer = emulator.client("lambda").invoke(FunctionName="CodeDeployHook_echo")
    assert "FunctionError" not in answer
    wait_for(lambda: serves(emulator.result["production"]))


def test_a_killed_load_generator_leaves_nothing(emulator):
    """Its connections are the listener's to close; production goes on."""
    script = textwrap.dedent(
        f"""
        import sys
        from hookgate_rehearsal.production_traffic import ProductionClient
        client = ProductionClient(port={emulator.result["production"]}, rate=200)
        client.start()
        while client.so_far().requests < 50:
            pass
        print("loaded", flush=True)
        sys.stdin.read()
        """
    )
    with subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": PATH, "PATH": "/usr/bin:/bin"},
    ) as generator:
        assert generator.stdout.readline() == b"loaded\n"
        used = {c.laddr.port for c in psutil.Process(generator.pid).net_connections()}
        generator.kill()

    def left():
        connections = psutil.Process(emulator.process.pid).net_connections("tcp")
        open_ = [c for c in connections if c.raddr and c.status == "ESTABLISHED"]
        return used & {each.raddr.port for each in open_}

    wait_for(lambda: not left())
    wait_for(lambda: serves(emulator.result["production"]))


def _group(process):
    try:
        return os.getpgid(process.pid)
    except ProcessLookupError:
        return None
