"""The command line: one file per command; what they do is elsewhere."""

from __future__ import annotations

import signal
import sys

import click

from nhwcc import IMPORTED, __version__
from nhwcc.cli.bench import bench_command
from nhwcc.cli.calibrate import calibrate_command
from nhwcc.cli.check import check_command
from nhwcc.cli.compile import compile_command
from nhwcc.cli.doctor import doctor_command
from nhwcc.cli.edge import Edge
from nhwcc.cli.explain import explain_command
from nhwcc.cli.inspect import inspect_command
from nhwcc.cli.opt import opt_command
from nhwcc.cli.passes import passes_command
from nhwcc.cli.reduce import reduce_command
from nhwcc.cli.verify import verify_command
from nhwcc.cli.zoo import zoo_command

EXIT_CODES = """Exit codes: 0 success; 1 something is wrong with the model, a file or an option, and the messages say
what; 2 the command line is not understood; 3 numbers differ; 4 numbers agree, but that proves nothing; 130 interrupted;
143 terminated."""


@click.group(cls=Edge, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="nhwcc")
def cli() -> None:
    """Compile neural networks for devices: NCHW models become NHWC models without needless transposes.

    nhwcc compile model.onnx -o model.tflite
    """


for command in (
    compile_command,
    inspect_command,
    verify_command,
    check_command,
    calibrate_command,
    bench_command,
    reduce_command,
    zoo_command,
    opt_command,
    passes_command,
    explain_command,
    doctor_command,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line of this process; when it is asked to end, temporary files are removed first."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has only the first
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)
    cli(prog_name="nhwcc", obj=IMPORTED)


def _end(number: int, _frame: object) -> None:
    sys.exit(128 + number)
