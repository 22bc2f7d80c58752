"""The table of docs/reliability.md, made from the faults that the tests carry out.

    python3 tests/faults/fault_table.py --write-docs    after a change of a fault
    python3 tests/faults/fault_table.py --measure       carries all out: most memory, longest time

For --measure, MEMPROF_BIN_DIR names the folder of the binaries.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))  # for support, outside of the tests

import content_faults  # noqa: E402
import fault  # noqa: E402
import framing_faults  # noqa: E402
import path_faults  # noqa: E402

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- begin of the fault table -->\n", "<!-- end of the fault table -->\n"

FRAMING = {
    "Bytes in pieces": framing_faults.PIECES,
    "Lengths": framing_faults.LENGTHS,
    "Chunks": framing_faults.CHUNKS,
    "Heads": framing_faults.HEADS,
}
CONTENT = {
    "Statuses other than 200": content_faults.STATUSES,
    "Bodies": content_faults.BODIES,
    "Usage": content_faults.USAGE,
    "Event streams": content_faults.STREAMS,
}
PATH = {
    "Slow and silent": path_faults.SLOW,
    "Lost in the answer": path_faults.LOST,
    "Kept connections": path_faults.KEPT,
    "Connecting": path_faults.CONNECTING,
    "TLS": path_faults.TLS,
}
TABLE = FRAMING | CONTENT | PATH


def cell(text):
    return text.replace("|", "\\|").replace("<", "&lt;")


def shortened(words):
    return words if len(words) <= 60 else words[:20] + " …"


def says(each):
    """The row's status and words, or its tokens."""
    if each.status != "ok":
        return f"`{each.status}`" + (f": {cell(shortened(each.words))}" if each.words else "")
    if each.exit == 3:
        return f"no rows; on the terminal: {cell(each.words)}"
    if each.tokens is None:
        return "`ok`, no tokens known"
    prompt, completion, cached = each.tokens
    return f"`ok`, {prompt} + {completion} tokens" + (f", {cached} cached" if cached else "")


def notes(each):
    parts = [f"{each.bad} requests" if each.bad > 1 and each.harmed == "bad" else "",
             {"all": "all requests", "some": "some of all requests", "bad": ""}[each.harmed],
             " ".join(each.flags) and f"`{' '.join(each.flags)}`", each.note]
    return "; ".join(part for part in parts if part)


def table():
    out = ""
    for group, faults in TABLE.items():
        out += (f"\n**{group}**\n\n| what the path shows | answer | the row says | exit | |\n"
                "|---|---|---|---|---|\n")
        rows = {}  # what is the same for a plain and a streamed answer has one row
        for each in faults:
            code = each.exit if each.exit is not None else 0 if each.status == "ok" else 1
            rows.setdefault((cell(each.path), f"{says(each)} | {code} | {cell(notes(each))}"),
                            []).extend(each.how)
        for (path, rest), how in rows.items():
            out += f"| {path} | {', '.join(how)} | {rest} |\n"
    return out


def page_with_table(page):
    before, _, rest = page.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"{PAGE}: the two lines around the table are missing")
    return f"{before}{BEGIN}{table()}\n{END}{after}"


def measure():
    outcomes = fault.carry_out_all([each for faults in TABLE.values() for each in faults])
    shown = [(each.path, how, outcome) for each, how, outcome in outcomes
             if not isinstance(outcome, str)]
    for path, how, outcome in shown:
        if outcome.problems:
            print(f"{path} ({how}): {outcome.problems[:2]}")
    path, how, highest = max(shown, key=lambda one: one[2].peak_kib)
    print(f"{len(shown)} runs; highest memory {highest.peak_kib / 1024:.1f} MiB: {path} ({how})")
    path, how, longest = max(shown, key=lambda one: one[2].seconds)
    print(f"longest run {longest.seconds:.2f} s: {path} ({how})")


if __name__ == "__main__":
    if sys.argv[1:] == ["--write-docs"]:
        PAGE.write_text(page_with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    elif sys.argv[1:] == ["--measure"]:
        measure()
    else:
        sys.exit(__doc__)
