"""Find the validator that a plan names: built in, the project's own or installed.

All three are found and checked in the same way. Only what a plan names is imported, so
a broken plugin that is not used has no effect.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterable
from functools import cache
from importlib.metadata import EntryPoint
from importlib.metadata import entry_points as _entry_points
from typing import Any

from hookgate.codes import Code
from hookgate.errors import InputError, did_you_mean
from hookgate.validator import Validator

#: The package of the project's own validators. The command links ``./validators``.
PROJECT = "hookgate_project_validators"
#: The packages whose modules are validators.
PACKAGES = ("hookgate_validators", PROJECT)

#: The group of entry points of installed validators.
GROUP = "hookgate.validators"

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")

EntryPoints = Callable[[], Iterable[EntryPoint]]


@cache
def installed() -> tuple[EntryPoint, ...]:
    """The entry points that installed packages declare; read once per process."""
    return tuple(_entry_points(group=GROUP))


#: One place that a validator of a name comes from, and how to load it.
_Provider = tuple[str, Callable[[], Any]]


def resolve(
    use: str,
    *,
    packages: Iterable[str] = PACKAGES,
    entry_points: EntryPoints = installed,
) -> type[Validator]:
    """Find and check the validator that a plan's ``use`` names.

    Args:
        use: the name, such as ``target_health``.
        packages: the importable packages whose modules are validators.
        entry_points: the entry points of the group ``hookgate.validators``.

    Raises:
        InputError: there is none of that name, there are several, or it is broken.
    """
    if not _NAME.fullmatch(use):
        raise InputError(
            f"{use[:64]!r} cannot name a validator; a name is lower case letters, "
            "digits and '_', and starts with a letter",
            code=Code.VALIDATOR_UNKNOWN,
        )
    providers = [
        *(found for each in packages for found in _modules(use, each)),
        *_installed(use, entry_points),
    ]
    if not providers:
        available = names(packages=packages, entry_points=entry_points)
        what = f"unknown validator {use!r}{did_you_mean(use, available)}"
        raise InputError(what, code=Code.VALIDATOR_UNKNOWN)
    if len(providers) > 1:
        both = " and ".join(where for where, _ in providers)
        raise InputError(
            f"the validator {use!r} is provided by {both}; rename or remove one of "
            "them",
            code=Code.VALIDATOR_AMBIGUOUS,
        )
    return _checked(use, *providers[0])


def names(
    *, packages: Iterable[str] = PACKAGES, entry_points: EntryPoints = installed
) -> tuple[str, ...]:
    """List the names a plan may use, sorted, without importing any validator.

    Raises:
        InputError: a package exists but cannot be imported.
    """
    found = {
        each.name
        for package in packages
        for each in pkgutil.iter_modules(_folder(package))
    }
    found.update(each.name for each in entry_points())
    return tuple(sorted(name for name in found if _NAME.fullmatch(name)))


def _folder(package: str) -> Iterable[str]:
    """The folders of a package; none if there is no such package."""
    try:
        return importlib.import_module(package).__path__
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and error.name == package:
            return ()
        raise _broken(package, f"{package}/__init__.py", error) from error


def _modules(use: str, package: str) -> Iterable[_Provider]:
    if not any(each.name == use for each in pkgutil.iter_modules(_folder(package))):
        return
    module, title = f"{package}.{use}", use.title().replace("_", "")
    where = f"{'validators' if package == PROJECT else package}/{use}.py"
    yield where, lambda: getattr(importlib.import_module(module), title)


def _installed(use: str, entry_points: EntryPoints) -> Iterable[_Provider]:
    for each in entry_points():
        if each.name == use:
            owner = f" of the package {each.dist.name}" if each.dist else ""
            yield f"{each.value}{owner}", each.load


def _checked(use: str, where: str, load: Callable[[], Any]) -> type[Validator]:
    try:
        found = load()
        if isinstance(found, type) and issubclass(found, Validator):
            found.model_rebuild()  # a broken option is an error here, not at its use
    # A plugin may raise anything at import, even SystemExit.
    except (Exception, SystemExit) as error:
        raise _broken(use, where, error) from error
    if fault := _fault(found):
        what = f"the validator {use!r} ({where}) {fault}"
        raise InputError(what, code=Code.VALIDATOR_BROKEN)
    valid: type[Validator] = found
    return valid


def _fault(found: object) -> str | None:
    """Why a loaded object is not a validator, or None if it is one."""
    if not isinstance(found, type):
        return f"is not a class but {type(found).__name__}"
    if not issubclass(found, Validator):
        return f"is the class {found.__name__}, which is not a subclass of Validator"
    if inspect.isabstract(found):
        missing = ", ".join(sorted(found.__abstractmethods__))
        return f"is abstract: add to {found.__name__} the method {missing}"
    if not (found.__dict__.get("__doc__") or "").strip():
        return f"has no docstring: describe in {found.__name__} what it checks"
    return None


def _broken(use: str, where: str, error: BaseException) -> InputError:
    return InputError(
        f"the validator {use!r} ({where}) cannot be loaded: "
        f"{type(error).__name__}: {error}",
        code=Code.VALIDATOR_BROKEN,
    )
