"""What must be read beside the figures of a comparison, in a sentence each."""

from __future__ import annotations

from typing import Final

from raretag.experiments.comparison.compare import Comparison

# labels by name; the others are counted
_SHOWN: Final = 5


def remarks(compared: Comparison) -> list[str]:
    """Unequal steps and machines, what reviews do to the figures, and floors that were not in force.

    Recipes' names are as they are.
    """
    said = []
    if compared.unequal:
        said.append(f"not trained for as many steps as {compared.baseline}: {', '.join(compared.unequal)}")
    for what, values in compared.mixed.items():
        said.append(f"trained with several {what} ({', '.join(values)}), and figures may differ for that alone")
    reviewed = [f"{row.name} {row.reviewed_share:.1%}" for row in compared.rows if row.reviewed_share]
    if reviewed:
        said.append(f"what is sent to review counts as missed; of all tokens: {', '.join(reviewed)}")
    for row in compared.rows:
        if row.unpromised:
            first, more = ", ".join(row.unpromised[:_SHOWN]), len(row.unpromised) - _SHOWN
            labels = f"{first} and {more} more labels" if more > 0 else first
            said.append(
                f"the recall floor of {row.name} was not in force throughout for {labels}: in some part too few "
                "patients have them"
            )
    return said
