"""Run the benchmarks: exit 0 if every bound is met, else 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import click

from benchmarks import (
    access_log,
    cold_start,
    listener,
    many_steps,
    open_model,
    overhead,
    rehearsal,
    serve,
    traffic,
    under_load,
    virtual_hour,
)
from benchmarks.figures import Measured, NotMeasured, table

Measure = Callable[[int], tuple[Measured, ...]]

BENCHMARKS: dict[str, tuple[Measure, int]] = {
    "cold_start": (cold_start.measure, cold_start.RUNS),
    "overhead": (overhead.measure, overhead.RUNS),
    "rehearsal": (rehearsal.measure, rehearsal.RUNS),
    "serve": (serve.measure, serve.RUNS),
    "virtual_hour": (virtual_hour.measure, virtual_hour.RUNS),
    "under_load": (under_load.measure, under_load.RUNS),
    "listener": (listener.measure, listener.RUNS),
    "traffic": (traffic.measure, traffic.RUNS),
    "open_model": (open_model.measure, open_model.RUNS),
    "access_log": (access_log.measure, access_log.RUNS),
    "many_steps": (many_steps.measure, many_steps.RUNS),
}


@click.command()
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(tuple(BENCHMARKS)),
    help="Measure this, and what further --only name.",
)
@click.option(
    "--runs", type=click.IntRange(min=1), help="Number of runs of each benchmark."
)
def main(only: tuple[str, ...], runs: int | None) -> NoReturn:
    """Measure what Hookgate costs, side by side with the bounds it promises."""
    is_met = True
    for name in only or tuple(BENCHMARKS):
        measure, usual = BENCHMARKS[name]
        try:
            measured = measure(runs or usual)
        except NotMeasured as why:
            click.echo(f"\n{name}\nnot measured: {why}")
            is_met = False
            continue
        is_met = is_met and all(each.is_met for each in measured)
        click.echo(f"\n{name}\n{table(measured)}")
    raise click.exceptions.Exit(0 if is_met else 1)


if __name__ == "__main__":
    main()
