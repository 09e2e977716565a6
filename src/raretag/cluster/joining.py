"""A Ray cluster, joined for a while: one that runs already, or one made on this machine."""

from __future__ import annotations

import logging
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from raretag.errors import DataError, UsageError

LOCAL: Final = "local"
_SECONDS: Final = 10.0
_LOOPBACK: Final = "127.0.0.1"
# of the library itself: no usage statistics, no remarks about what later versions will do
_QUIET: Final = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
# it listens on every interface where it may be a part of a cluster, whatever address it is given; read on import
_ALONE: Final = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}


@contextmanager
def joined(address: str) -> Iterator[Any]:
    """The module `ray`, connected to `address`; left again when done, which ends what is still at work.

    address: host:port of a cluster that runs, or `local` for one on this machine alone, which nothing but loopback
    reaches. Raises UsageError where Ray is not installed, DataError where no cluster answers.
    """
    alone = address == LOCAL
    for name, value in {**_QUIET, **(_ALONE if alone else {})}.items():
        os.environ.setdefault(name, value)
    if alone and not {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN"} & os.environ.keys():
        # for this process and its workers; else Ray leaves one in the home folder
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    try:
        import ray
    except ImportError as error:
        raise UsageError("Ray is not installed", remedy="Install raretag[distributed], or leave --ray out") from error
    _check_answers(address)
    own: dict[str, Any] = {"_node_ip_address": _LOOPBACK, "include_dashboard": False} if alone else {}
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **own)
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        raise _silent(address, error) from error
    try:
        if alone and ray.util.get_node_ip_address() != _LOOPBACK:
            raise UsageError(
                "Ray was loaded before, and would listen beyond this machine", remedy="Start raretag in a fresh process"
            )
        yield ray
    finally:
        ray.shutdown()


def _check_answers(address: str) -> None:
    """Raises DataError where nobody listens at host:port: Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdigit() and "/" not in host:
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=_SECONDS).close()
        except (OSError, OverflowError) as error:
            raise _silent(address, error) from error


def _silent(address: str, error: Exception) -> DataError:
    return DataError(
        f"no Ray cluster answers at {address!r} ({type(error).__name__})",
        remedy="Give the host:port that ray start --head told, or local",
    )
