"""Splits the raw rows into those to train with and those to judge by. Runs in the step Prepare."""

import pathlib
import zlib

ROOT = pathlib.Path("/opt/ml/processing")
SHARE = 5


def is_for_validation(row):
    """Whether a row is one of five, and the same one in every run."""
    return zlib.crc32(row.encode()) % SHARE == 0


def split(root):
    """Writes each row, label first and without a header, to one of both files."""
    rows = [
        row
        for path in sorted((root / "raw").glob("*.csv"))
        for row in path.read_text(encoding="utf-8").splitlines()
        if row
    ]
    for name, wanted in (("train", False), ("validation", True)):
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        chosen = [row for row in rows if is_for_validation(row) is wanted]
        if not chosen:
            raise SystemExit(f"there are no rows for {name}; add data")
        (folder / f"{name}.csv").write_text("\n".join(chosen) + "\n", encoding="utf-8")


if __name__ == "__main__":
    split(ROOT)
