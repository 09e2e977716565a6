"""The command line: one file a command, no logic of its own."""

from __future__ import annotations

import io
import os
import sys

_INTERRUPTED = 130
_RESUMABLE = ("train", "demo", "biaslab")
_GOING_ON = ("annotate", "compare", "tune")


def main() -> None:
    """Run the command line. Exits 0 when done, 1 for data or run problems, 2 for wrong usage, 130 when interrupted."""
    # no network unless a hub id is named; no clutter from the tokenizers' own threads
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from raretag.cli import several
    from raretag.errors import RaretagError

    for stream in (sys.stdout, sys.stderr):
        # a label that the terminal's encoding lacks is shown escaped
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        several.begin()
        from raretag.cli.app import app

        app()
    except RaretagError as error:
        _fail(str(error), error.exit_code)
    except SystemExit as ended:
        # how typer reports Ctrl-C
        if ended.code != _INTERRUPTED:
            if ended.code:
                several.leave_the_telling_to_the_first()
            raise
        _fail(_interruption(), _INTERRUPTED)
    except KeyboardInterrupt:
        _fail(_interruption(), _INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        _fail(f"{error.filename or 'a file'}: {error.strerror or type(error).__name__}", 1)
    except Exception as error:
        if os.environ.get("RARETAG_DEBUG"):
            sys.stderr = sys.__stderr__
            raise
        # the message and the local variables of an unforeseen error may hold note text: say only where it was
        frame = error.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        place = "" if frame is None else f" in {frame.tb_frame.f_code.co_name}, line {frame.tb_lineno}"
        _fail(
            f"unforeseen {type(error).__name__}{place}; RARETAG_DEBUG=1 shows it whole (it may show note text)",
            1,
        )


def _interruption() -> str:
    command = sys.argv[1] if sys.argv[1:] else ""
    if command in _GOING_ON:
        return "interrupted; the same command goes on"
    return "interrupted" + ("; the same command with --resume goes on" if command in _RESUMABLE else "")


def _fail(message: str, code: int) -> None:
    from raretag.cli import several
    from raretag.cli.wording import shown

    if not several.tells():
        sys.exit(code)
    lines = [shown(line) for line in message.strip().split("\n")]
    sys.stderr.write("\n".join(("raretag: " + lines[0], *lines[1:], "")))
    sys.exit(code)
