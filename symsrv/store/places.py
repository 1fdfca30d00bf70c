"""Where the store keeps its own things, beside the stored files."""

from symsrv.model.records import digits

OWN = ".symsrv"
FORMAT_FILE = f"{OWN}/store.json"
APPLIED = f"{OWN}/applied"
DOOMED = f"{OWN}/doomed"
DISPLACED = f"{OWN}/displaced"
ARRIVING = f"{OWN}/arriving"
FORMAT = 1

PINGME = "pingme.txt"
TWO_TIER = "index2.txt"


def document(number: int) -> str:
    """The path of a transaction's document."""
    return f"{OWN}/transactions/{digits(number)}.jsonl"


def doomed(number: int) -> str:
    """The path of the note of what a delete could not remove."""
    return f"{DOOMED}/{digits(number)}.json"
