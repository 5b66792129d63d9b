"""What Hugging Face datasets reads; run by the Python of its own environment (`bench/peers.py`).

    python with_datasets.py FORMAT CACHE streaming|whole FILE [FILE ...]

Out: JSON on standard output, a list of rows; bytes as hexadecimal digits. Only datasets is imported.
"""

from __future__ import annotations

import json
import sys


def main() -> None:
    import datasets

    kind, cache, how, *files = sys.argv[1:]
    datasets.disable_progress_bars()
    loaded = datasets.load_dataset(kind, data_files=files, split="train", cache_dir=cache, streaming=how == "streaming")
    print(json.dumps(list(loaded), default=lambda value: value.hex()))


if __name__ == "__main__":
    main()
