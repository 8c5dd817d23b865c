"""What tests of a reader's session do and look at."""

import json
import sqlite3


def openNext(logic):
    logic.readings.take(logic.readings.opening()(lambda fraction: None))


def stored(study, kind="edited", reader="r1"):
    """The contents of the events of a kind."""
    with sqlite3.connect(study / "readings" / f"{reader}.sqlite") as store:
        rows = store.execute("SELECT content FROM entry WHERE kind = ? ORDER BY number", (kind,))
        return [json.loads(content) for (content,) in rows]
