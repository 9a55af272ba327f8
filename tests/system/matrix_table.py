"""What a matrix run has found, as tables: one line per row for the terminal, one per capability for README."""
from matrix_bench import BACKENDS

ROLES = ("responder", "initiator")


def table(results):
    """One line per row, one column per peer and role."""
    columns = sorted({(one["peer"], one["backend"], one["role"]) for one in results if one["row"] != "all"})
    cells = {}
    for one in results:
        cells.setdefault(one["row"], {})[(one["peer"], one["backend"], one["role"])] = one["result"]
    width = max((len(row) for row in cells), default=0)
    heads = [f"{peer[0]}:{backend[:3]}:{role[:4]}" for peer, backend, role in columns]
    lines = ["", " " * width + "  " + "  ".join(heads)]
    for row, marks in cells.items():
        lines.append(f"{row:{width}}  " + "  ".join(f"{marks.get(column, '-'):{len(head)}}" for column, head in zip(columns, heads)))
    return "\n".join(lines)


def cell(results, capability, backend, role):
    """(passes, failures, reasons) of one cell; all empty: nothing tried it."""
    of = [one for one in results if (one["peer"], one["backend"]) == backend and one["role"] == role and one["capability"] == capability]
    good, bad = (sum(one["result"] == result for one in of) for result in ("pass", "FAIL"))
    return good, bad, sorted({one["reason"] for one in of if one["result"] == "empty"})


def untested(results, capabilities):
    """(capability, peer, backend, role) of each cell without a result."""
    return [(capability, *backend, role) for capability in capabilities for backend in BACKENDS.values() for role in ROLES
            if not any(cell(results, capability, backend, role))]


def summary(results, capabilities):
    """README's table: a capability per line, a peer per column, in a cell the rows that passed with the peer as responder / as initiator.
    Of rows that cannot be, a number names the reason below."""
    notes = []
    lines = ["| | " + " | ".join(f"{peer}, {backend}" for peer, backend in BACKENDS.values()) + " |", "|---" * (len(BACKENDS) + 1) + "|"]
    for capability in capabilities:
        cells = [" / ".join(words(cell(results, capability, backend, role), notes) for role in ROLES) for backend in BACKENDS.values()]
        lines.append(f"| {capability} | " + " | ".join(cells) + " |")
    return "\n".join(lines + [""] + [f"{number}. {note}" for number, note in enumerate(notes, 1)])


def words(found, notes):
    good, bad, reasons = found
    if not good and not bad and not reasons:
        return "untested"
    notes += [reason for reason in reasons if reason not in notes]
    said = [f"{good}"] * bool(good) + [f"**{bad} fail**"] * bool(bad)
    return " ".join(filter(None, [", ".join(said), "".join(f"[{notes.index(reason) + 1}]" for reason in reasons)]))
