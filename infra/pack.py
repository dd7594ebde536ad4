"""Packs binaries for Lambda: NAME=BINARY... into FOLDER/NAME/bootstrap.zip.

The same binary makes the same archive, byte for byte, so that a deployment
uploads only what has changed.
"""

import re
import sys
import zipfile
from pathlib import Path

# What Amazon Linux 2023 has, which `provided.al2023` is.
GLIBC = 34

# The machine of an ELF header, as Lambda calls it.
ARCHITECTURES = {62: "x86_64", 183: "arm64"}


def architecture(binary):
    """What the binary runs on."""
    return ARCHITECTURES.get(int.from_bytes(binary[18:20], "little")) if binary[:4] == b"\x7fELF" else None


def glibc(binary):
    """The minor version of the newest C library that the binary asks for."""
    return max(map(int, re.findall(rb"\0GLIBC_2\.(\d+)", binary)), default=0)


def pack(binary, archive):
    """Writes an archive with nothing but an executable `bootstrap` in it."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    entry = zipfile.ZipInfo("bootstrap")  # of 1980, the epoch of archives
    entry.external_attr = 0o100755 << 16
    entry.create_system = 3  # Unix
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(entry, binary, compresslevel=9)


wanted, folder, *functions = sys.argv[1:]
for function in functions:
    name, _, path = function.partition("=")
    binary = Path(path).read_bytes()
    if architecture(binary) != wanted:
        sys.exit(f"{path} is built for {architecture(binary)}, not for {wanted}")
    if glibc(binary) > GLIBC:
        sys.exit(
            f"{path} needs glibc 2.{glibc(binary)}, and Amazon Linux 2023 has 2.{GLIBC}: "
            "build it with cargo-lambda, or on an older system"
        )
    archive = Path(folder, name, "bootstrap.zip")
    pack(binary, archive)
    packed = archive.stat().st_size
    print(f"{archive}  {wanted}  {packed:>9,} bytes, {len(binary):>9,} unpacked, glibc 2.{glibc(binary)}")
