"""Who gave an answer, told from the lines of its head."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Proof:
    """The header and value that only the replacement task set gives.

    Args:
        name: the header's name in lower case.
        value: what the replacement says.
        lines: the header's line as it usually comes, to find it quickly.
        wanted: whether the replacement should answer; at the yardstick it should not.
    """

    name: str
    value: str
    lines: frozenset[bytes]
    wanted: bool

    @classmethod
    def of(cls, identity: tuple[str, str] | None, *, wanted: bool) -> Proof | None:
        """The proof of a plan's ``target.identity``, if it has one."""
        if identity is None:
            return None
        name, value = identity
        spellings = {name, name.lower()}  # HTTP/2 has names in lower case.
        lines = frozenset(f"{each}: {value}\r\n".encode() for each in spellings)
        return cls(name.lower(), value, lines, wanted)

    def stranger(self, head: list[bytes]) -> str:
        """Who answered that should not have; nothing when all is well."""
        if not self.lines.isdisjoint(head):
            return "" if self.wanted else self.value
        told = self._told(head)
        if told == self.value:
            return "" if self.wanted else self.value
        if not self.wanted:
            return ""
        return (
            f"nobody told (no header {self.name})" if told is None else repr(told[:100])
        )

    def _told(self, head: list[bytes]) -> str | None:
        parts = (line.decode("utf-8", "replace").partition(":") for line in head)
        said = [
            value.strip()
            for name, _, value in parts
            if name.strip().lower() == self.name
        ]
        return ", ".join(said) if said else None
