"""Words on a terminal: what users named is shown harmlessly, and nouns agree with their numbers."""

from __future__ import annotations


def shown(text: object) -> str:
    """`text` on one line with control, format and other unprintable characters escaped, as in `a\\x1bb`."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in str(text)
    )


def counted(number: int, noun: str) -> str:
    """`1 document`, `2,000 documents`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
