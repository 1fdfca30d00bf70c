"""One of several processes that publish to one store: `python -m tests.prove.writer STORE FOLDER WHO ROUNDS`.

Each round publishes a file of its own, one that every writer publishes with the same bytes, and one that every
writer publishes with bytes of its own under the same id.
"""

import json
import sys
from pathlib import Path

from symsrv.ingest import Source, publish
from symsrv.store import open_store
from tests.ingest.files import elf, pdb, pe, written


def main(url: str, folder: Path, who: int, rounds: int) -> None:
    store = open_store(url, create=True, state=folder / "state")
    for number in range(1, rounds + 1):
        files = {
            "own.exe": pe(1_000_000 * who + number),
            "same.so": elf(number),
            "contested.pdb": pdb(number, tail=b"by writer %d" % who),
        }
        paths = [written(folder / "out" / name, data) for name, data in files.items()]
        receipt = publish(store, [Source(path, path.name) for path in paths], comment=f"{who} {number}")
        for result in receipt.results:
            print(json.dumps(result.to_record()), flush=True)
        print(json.dumps(receipt.to_record()), flush=True)
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
