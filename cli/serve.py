"""``hookgate serve``: the stage as a standing local endpoint for any AWS client."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import FrameType

import click

from cli.rehearse import EXAMPLE
from hookgate.errors import HookgateError
from rehearsal.audience import SilentAudience
from rehearsal.rehearse import Rehearsal
from rehearsal.scenario import read_scenario
from rehearsal.standing import stand


@click.command("serve")
@click.argument(
    "scenario",
    required=False,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--port", default=4510, show_default=True, help="The endpoint's port.")
def command(scenario: Path | None, port: int) -> None:
    """Set the stage of SCENARIO up and keep it until Ctrl-C.

    Point any AWS client at it with AWS_ENDPOINT_URL and dummy credentials.
    """
    read = read_scenario(scenario or EXAMPLE)
    over = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        over.set()

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, stop)
    rehearsal = Rehearsal(scenario=read, audience=SilentAudience(), port=port)
    try:
        with stand(rehearsal) as standing:
            click.echo(standing.told())
            over.wait()
    except OSError as error:
        raise click.ClickException(f"port {port}: {error.strerror}") from None
    except HookgateError as error:
        raise click.ClickException(str(error)) from None
