"""Find the AppSpec in a revision's object, which may be a bundle."""

from __future__ import annotations

import io

from hookgate.aws.appspec import MAX_SIZE
from hookgate.codes import Code
from hookgate.errors import CannotMeasure

_NAMES = ("appspec.yaml", "appspec.yml", "appspec.json")
#: A revision bundle of an ECS deployment holds an AppSpec and little else.
MAX_BUNDLE = 10 * 1024 * 1024


def unbundled(content: bytes, bundle: str) -> str:
    """The AppSpec in a revision's object.

    Args:
        content: the object.
        bundle: its ``bundleType``: YAML or JSON for the file itself; zip, tar or tgz.

    Raises:
        CannotMeasure: it is none of that type, or holds no AppSpec.
    """
    import lzma  # noqa: PLC0415 - few revisions are bundles
    import tarfile  # noqa: PLC0415 - as above
    import zipfile  # noqa: PLC0415 - as above
    import zlib  # noqa: PLC0415 - as above

    broken = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError)
    # What else the two modules let through; RuntimeError is an encrypted zip.
    let_through = (EOFError, OSError, LookupError, RuntimeError, ValueError)
    try:
        if bundle == "zip":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                name = _only(archive.namelist())
                with archive.open(name) as member:
                    return member.read(MAX_SIZE + 1).decode()
        if bundle in {"tar", "tgz"}:
            with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                extracted = archive.extractfile(_only(archive.getnames()))
                return extracted.read(MAX_SIZE + 1).decode() if extracted else ""
        return content.decode()
    except (*broken, *let_through) as error:
        raise CannotMeasure(
            f"the revision in S3 is no {bundle}: {error}", code=Code.REVISION
        ) from error


def _only(names: list[str]) -> str:
    """The AppSpec among the names of a bundle's files."""
    for name in names:
        if name.removeprefix("./") in _NAMES:
            return name
    raise CannotMeasure(
        f"the revision bundle holds none of {', '.join(_NAMES)}", code=Code.REVISION
    )
