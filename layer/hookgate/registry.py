"""Find the validator that a plan names: built in, dropped in or installed.

All three take the same road and pass the same checks. Only what a plan names is
imported, so an unused broken plugin hurts nobody.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint
from importlib.metadata import entry_points as _entry_points
from typing import Any

from hookgate.codes import Code
from hookgate.errors import InputError
from hookgate.validator import Validator

_HERE: Mapping[str, tuple[str, ...]] = {
    "equals": ("eq", "equal", "is", "=="),
    "differs": ("ne", "neq", "not_equals", "not_equal", "!="),
    "above": ("gt", "greater", "greater_than", "more_than", ">"),
    "at_least": ("gte", "ge", "min", "minimum", ">="),
    "below": ("lt", "less", "less_than", "<"),
    "at_most": ("lte", "le", "max", "maximum", "<="),
    "between": ("range", "in_range"),
    "contains": ("includes", "include", "has"),
    "matches": ("match", "pattern", "regexp"),
    "one_of": ("in", "any_of"),
    "has_type": ("type", "is_a"),
    "has_length": ("length", "len"),
    "jsonpath": ("json", "json_path", "path"),
    "phase": ("phases", "timings"),
    "peer": ("ip", "address", "remote_address"),
    "http_version": ("version", "protocol"),
    "hash": ("md5", "sha1", "sha256", "checksum"),
    "duration": ("response_time", "latency", "time"),
    "size": ("length", "content_length", "body_size"),
    "status": ("status_code", "code", "valid_status_codes"),
    "expect": (
        "asserts",
        "assert",
        "checks",
        "conditions",
        "valid_http_versions",
        "fail_if_ssl",
        "fail_if_not_ssl",
        "fail_if_body_matches_regexp",
        "fail_if_body_not_matches_regexp",
        "fail_if_body_json_matches_cel",
        "fail_if_body_json_not_matches_cel",
        "fail_if_header_matches",
        "fail_if_header_not_matches",
    ),
    "capture": ("captures", "save", "store", "extract"),
    "follow": ("follow_redirects", "location", "redirects", "max_redirects"),
    "max_body": ("body_size_limit",),
    "encryption": ("tls_config", "tls", "insecure", "insecure_skip_verify"),
    "auth": ("basic_auth", "authorization", "oauth2", "bearer"),
    "http2": ("enable_http2",),
    "ip": ("preferred_ip_protocol", "ip_protocol_fallback", "ip_protocol"),
    "within": ("eventually", "retry", "retries", "wait"),
    "every": ("interval", "retry_interval", "delay"),
    "repeat": ("count", "times"),
    "rate": ("arrival_rate", "qps", "rps"),
    "max_in_flight": ("max_vus", "workers", "concurrency"),
    "graphql": ("query",),
    "cleanup": ("teardown", "finally", "always"),
}


def familiar(word: str, known: Collection[str]) -> str | None:
    """What ``known`` has for a word of another tool, if it has something."""
    lower = word.lower()
    found = (here for here, others in _HERE.items() if lower in others)
    return next((here for here in found if here in known), None)


#: The folder of drop-in validators, and the group of installed ones.
PACKAGE = "validators"

GROUP = "hookgate.validators"

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")

EntryPoints = Callable[[], Iterable[EntryPoint]]


@cache
def installed() -> tuple[EntryPoint, ...]:
    """The entry points that installed packages declare; read once per process."""
    return tuple(_entry_points(group=GROUP))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Provider:
    """One place that a validator of a name comes from, and how to load it."""

    where: str
    load: Callable[[], Any]


def resolve(
    use: str, *, package: str = PACKAGE, entry_points: EntryPoints = installed
) -> type[Validator]:
    """Find the validator that a plan's ``use`` names, and check that it is one.

    Args:
        use: the name, such as ``target_health``.
        package: the importable package that holds drop-ins.
        entry_points: the entry points of the group ``hookgate.validators``.

    Raises:
        InputError: there is none of that name, there are two, or it is broken.
    """
    if not _NAME.fullmatch(use):
        raise InputError(
            f"{use[:64]!r} cannot name a validator; a name is lower case letters, "
            "digits and '_', and starts with a letter",
            code=Code.VALIDATOR_UNKNOWN,
        )
    providers = [*_drop_ins(use, package), *_packages(use, entry_points)]
    if not providers:
        available = names(package=package, entry_points=entry_points)
        what = f"unknown validator {use!r}{did_you_mean(use, available)}"
        raise InputError(what, code=Code.VALIDATOR_UNKNOWN)
    if len(providers) > 1:
        both = " and ".join(each.where for each in providers)
        raise InputError(
            f"the validator {use!r} is provided by {both}; rename or remove one of "
            "them",
            code=Code.VALIDATOR_AMBIGUOUS,
        )
    return _checked(use, providers[0])


def names(
    *, package: str = PACKAGE, entry_points: EntryPoints = installed
) -> tuple[str, ...]:
    """List the names a plan may use, sorted, without importing any validator.

    Raises:
        InputError: the package of drop-ins is there but broken.
    """
    folder = _folder(package)
    found = {each.name for each in pkgutil.iter_modules(folder)}
    found.update(each.name for each in entry_points())
    return tuple(sorted(name for name in found if _NAME.fullmatch(name)))


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that means ``word`` elsewhere or is most like it, if one is."""
    known = tuple(known)
    meant = familiar(word, known)
    if meant:
        return meant
    from difflib import get_close_matches  # noqa: PLC0415 - most plans are right

    by_lower = {each.lower(): each for each in known}
    close = get_close_matches(word[:64].lower(), by_lower, n=1)
    return by_lower[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str], there_are: str = "there are") -> str:
    """End a sentence about an unknown word: what may be meant, and what there is.

    Args:
        word: what was written.
        known: what may be written.
        there_are: how the list of known words begins.
    """
    known = tuple(known)
    listed = f"{there_are}: {', '.join(known)}" if known else f"{there_are} none"
    close = closest(word, known)
    if close is None:
        return f"; {listed}"
    return f"; did you mean {close!r}? {listed[0].upper()}{listed[1:]}"


def _folder(package: str) -> Iterable[str]:
    """Where drop-ins are; nowhere if there is no such package."""
    try:
        return importlib.import_module(package).__path__
    except ModuleNotFoundError as error:
        if error.name == package:
            return ()
        raise _broken(package, f"{package}/__init__.py", error) from error
    except (Exception, SystemExit) as error:
        raise _broken(package, f"{package}/__init__.py", error) from error


def _drop_ins(use: str, package: str) -> Iterable[_Provider]:
    if not any(each.name == use for each in pkgutil.iter_modules(_folder(package))):
        return
    module, title = f"{package}.{use}", use.title().replace("_", "")
    yield _Provider(
        where=f"{package}/{use}.py",
        load=lambda: getattr(importlib.import_module(module), title),
    )


def _packages(use: str, entry_points: EntryPoints) -> Iterable[_Provider]:
    for each in entry_points():
        if each.name == use:
            owner = f" of the package {each.dist.name}" if each.dist else ""
            yield _Provider(where=f"{each.value}{owner}", load=each.load)


def _checked(use: str, provider: _Provider) -> type[Validator]:
    try:
        found = provider.load()
        if isinstance(found, type) and issubclass(found, Validator):
            found.model_rebuild()  # a broken option is told here, not at its first use
    # A plugin may raise anything at import, even exit; none of it may pass a gate.
    except (Exception, SystemExit) as error:
        raise _broken(use, provider.where, error) from error
    fault = _fault(found)
    if fault:
        what = f"the validator {use!r} ({provider.where}) {fault}"
        raise InputError(what, code=Code.VALIDATOR_BROKEN)
    valid: type[Validator] = found
    return valid


def _fault(found: object) -> str | None:
    """Why what was loaded is no validator, or None if it is one."""
    if not isinstance(found, type):
        return f"is not a class but {type(found).__name__}"
    if not issubclass(found, Validator):
        return f"is the class {found.__name__}, which is not a subclass of Validator"
    if inspect.isabstract(found):
        missing = ", ".join(sorted(found.__abstractmethods__))
        return f"does not say how to {missing}: give {found.__name__} that method"
    if not (found.__dict__.get("__doc__") or "").strip():
        return f"has no docstring: say in {found.__name__} what it checks"
    return None


def _broken(use: str, where: str, error: BaseException) -> InputError:
    return InputError(
        f"the validator {use!r} ({where}) cannot be loaded: "
        f"{type(error).__name__}: {error}",
        code=Code.VALIDATOR_BROKEN,
    )
