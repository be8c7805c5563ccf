"""``hookgate serve``: the emulator for any client."""

import json
import shlex
import signal
import socket

import boto3
import pytest
from support.command import a_storefront, hookgate, left_behind, running
from support.emulator_setup import wait_for


def _printed(process):
    """What is printed for a person to paste, until it is complete."""
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if line.startswith("aws deploy get-deployment"):
            return lines
    raise AssertionError(process.stderr.read())


def _variables(lines):
    exports = [each for each in lines if each.startswith("export ")]
    words = [word for each in exports for word in shlex.split(each)[1:]]
    return dict(word.split("=", 1) for word in words)


def _revision(lines):
    """The first deployment's revision, as a shell would hand it to the AWS CLI."""
    command = next(each for each in lines if each.startswith("id=$("))
    words = shlex.split(command.removeprefix("id=$(").partition("); echo")[0])
    return words[words.index("--revision") + 1]


def test_emulator_stands_until_it_is_ended(tmp_path):
    """Any client can deploy with what is printed; the end leaves nothing."""
    folder = tmp_path.resolve()
    scenario = a_storefront(folder, a="desired_count: 2->desired_count: 1")
    with running("serve", scenario, "--port", "0") as process:
        lines = _printed(process)
        variables = _variables(lines)
        endpoint = variables["AWS_ENDPOINT_URL"]
        codedeploy = boto3.client(
            "codedeploy",
            endpoint_url=endpoint,
            region_name=variables["AWS_DEFAULT_REGION"],
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        )

        deployed = codedeploy.create_deployment(
            applicationName="storefront",
            deploymentGroupName="production",
            revision=json.loads(_revision(lines)),
        )["deploymentId"]

        def status():
            response = codedeploy.get_deployment(deploymentId=deployed)
            return response["deploymentInfo"]["status"]

        wait_for(lambda: status() in {"Succeeded", "Failed", "Stopped"})
        assert "Succeeded" == status()
        process.send_signal(signal.SIGTERM)
        output = process.communicate()[1]
    assert 0 == process.returncode, output
    assert "Ready. Press Ctrl-C to stop." in output
    assert f"{deployed}  ✓ passed  AfterAllowTestTraffic: price of sencha" in output
    assert [] == left_behind(folder) + left_behind(endpoint)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(endpoint.rpartition(":")[2])))


def test_taken_port_is_reported_in_one_line():
    """Another program's port is wrong input, reported before anything is set up."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = hookgate("serve", "--port", port)
    assert (2, "") == (done.returncode, done.stdout)
    assert (
        f"Error: port {port} is in use; choose another with --port, or --port 0 for a "
        "free one\n" == done.stderr
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--port", "65536"], "is not in the range", id="port"),
        pytest.param(["/none.yaml"], "does not exist", id="no such scenario"),
        pytest.param(["--host", "192.0.2.1"], "not an address of this", id="host"),
        pytest.param(["--hold", "x" * 300], "cannot create the folder", id="hold"),
        pytest.param(["--functions-at", "x"], "'x' is not a valid URL", id="no URL"),
    ],
)
def test_wrong_usage_is_reported(arguments, message):
    """Wrong usage is reported, with exit code 2."""
    done = hookgate("serve", *arguments)
    assert (2, True) == (done.returncode, message in done.stderr)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        pytest.param("shop", "'shop' is not NAME=COMMAND", id="no command"),
        pytest.param("=x", "'=x' is not NAME=COMMAND", id="no name"),
        pytest.param("shop='x", "No closing quotation", id="no command line"),
    ],
)
def test_a_wrong_image_is_reported(image, message):
    """An image without its command is wrong usage."""
    done = hookgate("serve", "--empty", "--image", image)
    assert (2, True) == (done.returncode, message in done.stderr)


@pytest.mark.parametrize(
    "key", ["rehearsal", "a key with spaces", "a/key/with/slashes"]
)
def test_a_weak_access_key_is_refused(key):
    """A short key could be guessed; another character could not be sent."""
    done = hookgate("serve", "--empty", "--access-key", key)
    assert (2, True) == (done.returncode, "16 to 128 letters" in done.stderr)


def test_an_empty_emulator_says_what_it_has(tmp_path):
    """Images, functions and variables are printed, and nothing is built."""
    key = "a_key_for_scripts"
    given = ("--image", "tea=python tea.py", "--access-key", key)
    with running("serve", "--empty", "--port", "0", *given) as process:
        lines = []
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if "SECRET" in line:
                break
        variables = _variables(lines)
        codedeploy = boto3.client(
            "codedeploy",
            endpoint_url=variables["AWS_ENDPOINT_URL"],
            region_name=variables["AWS_DEFAULT_REGION"],
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        )
        built = codedeploy.list_applications()["applications"]
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert ([], key) == (built, variables["AWS_ACCESS_KEY_ID"])
    assert {
        "#   image     tea",
        "#   image     storefront:1.0.0",
        "#   function  CodeDeployHook_hookgate_AfterInstall",
    } <= set(lines)


def test_held_hooks_wait_for_a_report(tmp_path):
    """With --hold a hook's event stays in a file until another client reports."""
    folder = tmp_path.resolve()
    events = folder / "events"
    with running(
        "serve", a_storefront(folder), "--port", "0", "--hold", events
    ) as process:
        lines = _printed(process)
        variables = _variables(lines)
        codedeploy = boto3.client(
            "codedeploy",
            endpoint_url=variables["AWS_ENDPOINT_URL"],
            region_name=variables["AWS_DEFAULT_REGION"],
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        )
        deployed = codedeploy.create_deployment(
            applicationName="storefront",
            deploymentGroupName="production",
            revision=json.loads(_revision(lines)),
        )["deploymentId"]
        wait_for(lambda: list(events.glob("*.json")))
        (file,) = events.glob("*.json")
        event = json.loads(file.read_text())
        codedeploy.put_lifecycle_event_hook_execution_status(
            deploymentId=event["DeploymentId"],
            lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
            status="Failed",
        )

        def status():
            response = codedeploy.get_deployment(deploymentId=deployed)
            return response["deploymentInfo"]["status"]

        wait_for(lambda: status() == "Failed")
        process.send_signal(signal.SIGTERM)
        process.communicate()

    assert [] == left_behind(folder)


def test_hold_or_hand_over(tmp_path):
    """Hooks are held or handed to another Lambda, not both."""
    done = hookgate("serve", "--hold", tmp_path, "--functions-at", "http://x")

    assert (2, True) == (done.returncode, "not both" in done.stderr)


def test_killed_emulator_is_started_again(tmp_path):
    """SIGKILL leaves no process; the next emulator has the port, and ends by Ctrl-C."""
    folder = tmp_path.resolve()
    scenario = a_storefront(folder, a="desired_count: 2->desired_count: 1")
    with running("serve", scenario, "--port", "0") as process:
        endpoint = _variables(_printed(process))["AWS_ENDPOINT_URL"]
        process.kill()
        process.communicate()
    wait_for(lambda: not left_behind(folder) + left_behind(endpoint))

    port = endpoint.rpartition(":")[2]
    with running("serve", scenario, "--port", port, "--speed", "60") as process:
        variables = _variables(_printed(process))
        codedeploy = boto3.client(
            "codedeploy",
            endpoint_url=variables["AWS_ENDPOINT_URL"],
            region_name=variables["AWS_DEFAULT_REGION"],
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        )
        deployments = codedeploy.list_deployments()["deployments"]
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert (0, []) == (process.returncode, left_behind(folder) + left_behind(endpoint))
    assert (endpoint, []) == (variables["AWS_ENDPOINT_URL"], deployments)


@pytest.mark.parametrize("command", ["serve", "rehearse"])
def test_speed_has_bounds(command):
    """Time neither runs backwards nor a million times faster."""
    done = hookgate(command, "--speed", "0.5")

    assert (2, True) == (done.returncode, "1<=x<=1000" in done.stderr)
