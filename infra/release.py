"""Puts a release together: FOLDER PROGRAM ARCHITECTURE=ARCHIVES...

ARCHIVES has NAME/bootstrap.zip for each function, as infra/build makes them.
The result is FOLDER/pipeshare-VERSION and FOLDER/pipeshare-VERSION.tar.gz;
the same files make the same archive, byte for byte.
"""

import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEMPLATES = ["hub", "owner-account", "consumer-account", "organization"]
PAGES = ["CHANGELOG.md", "LICENSE"]
SCHEMAS = ["policy.schema.json", "team.schema.json"]

# What Rust calls the machines that Lambda has.
TARGETS = {"arm64": "aarch64-unknown-linux-gnu", "x86_64": "x86_64-unknown-linux-gnu"}

PROGRAM = "pipeshare"


def version():
    """The version of the workspace, which the template of the hub has, too."""
    cargo = (ROOT / "Cargo.toml").read_text()
    return re.search(r'^\[workspace\.package\]\nversion = "(.+)"$', cargo, re.MULTILINE)[1]


def functions():
    """The hub's template has the list of the functions."""
    hub = (ROOT / "infra/hub/template.yaml").read_text()
    return re.findall(r"^ *FunctionName: pipeshare-(.+)$", hub, re.MULTILINE)


def packages_of(target):
    """What cargo knows of the workspace and its dependencies, as they are locked."""
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", target]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    return {package["id"]: (package, nodes[package["id"]]) for package in metadata["packages"]}


def linked(packages, name):
    """The package of this name in the workspace, and whatever is linked into its binary."""
    [first] = [id for id, (package, _) in packages.items() if package["name"] == name and not package["source"]]
    found, waiting = [first], [first]
    while waiting:
        _, node = packages[waiting.pop()]
        for dependency in node["deps"]:
            # Dependencies of tests and of build scripts have a kind.
            is_linked = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            if is_linked and dependency["pkg"] not in found:
                found.append(dependency["pkg"])
                waiting.append(dependency["pkg"])
    return found


def component(package, kind):
    """A package as CycloneDX describes it."""
    described = {
        "type": kind,
        "bom-ref": package["id"],
        "name": package["name"],
        "version": package["version"],
    }
    if package["source"]:
        described["purl"] = f"pkg:cargo/{package['name']}@{package['version']}"
    if package["license"]:
        # The old way to write it, which CycloneDX does not take.
        described["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    return described


def bill(packages, name):
    """The bill of materials of one binary, in CycloneDX 1.5."""
    first, *others = linked(packages, name)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": component(packages[first][0], "application")},
        "components": [component(packages[id][0], "library") for id in sorted(others)],
    }


def put(source, destination):
    """Copies a file, with its mode."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, destination)


def put_templates(release, architectures):
    """Copies the templates; the hub's names the archives of the first architecture, and has one beside it for another."""
    for template in TEMPLATES:
        put(ROOT / "infra" / template / "template.yaml", release / "infra" / template / "template.yaml")
    hub = (ROOT / "infra/hub/template.yaml").read_text()
    default = "    Default: arm64\n"
    code = "Code: ../../target/lambda/"
    if hub.count(default) != 1 or hub.count(code) != len(functions()):
        sys.exit("infra/release.py: the hub's template names architecture and code in another way than is known here")
    for number, architecture in enumerate(architectures):
        name = f"template-{architecture}.yaml" if number else "template.yaml"
        text = hub.replace(code, f"{code}{architecture}/")
        text = text.replace(default, f"    Default: {architecture}\n")
        (release / "infra/hub" / name).write_text(text)


def put_bills(release, architectures):
    """Writes what each binary is made of."""
    folder = release / "bom"
    folder.mkdir()
    for architecture in architectures:
        packages = packages_of(TARGETS[architecture])
        for name in [*functions(), PROGRAM]:
            text = json.dumps(bill(packages, name), indent=2) + "\n"
            # No path of the machine that it was built on.
            text = text.replace(f"path+{ROOT.resolve().as_uri()}", "path+file://")
            (folder / f"{name}-{architecture}.cdx.json").write_text(text)


def put_sums(release):
    """Writes what `sha256sum --check` reads."""
    files = sorted(path for path in release.rglob("*") if path.is_file())
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(release)}\n" for path in files]
    (release / "SHA256SUMS").write_text("".join(lines))


def pack(release, archive):
    """Packs a folder, without what differs between machines."""
    def plain(entry):
        entry.uid = entry.gid = entry.mtime = 0
        entry.uname = entry.gname = ""
        entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
        return entry

    # Most of it is packed already.
    fast = {"filename": "", "mode": "wb", "compresslevel": 1, "mtime": 0}
    with archive.open("wb") as file, gzip.GzipFile(fileobj=file, **fast) as packed:
        with tarfile.open(fileobj=packed, mode="w") as opened:
            for path in sorted(release.rglob("*")):
                if path.is_file():
                    opened.add(path, f"{release.name}/{path.relative_to(release)}", filter=plain)


def main(folder, program, *archives):
    built = dict(one.split("=", 1) for one in archives)
    release = Path(folder, f"pipeshare-{version()}")
    shutil.rmtree(release, ignore_errors=True)
    for architecture, source in built.items():
        for function in functions():
            put(Path(source, function, "bootstrap.zip"), release / "target/lambda" / architecture / function / "bootstrap.zip")
    put_templates(release, built)
    for page in PAGES:
        put(ROOT / page, release / page)
    for schema in SCHEMAS:
        put(ROOT / "functions" / schema, release / "schemas" / schema)
    put(program, release / "bin" / PROGRAM)
    put_bills(release, built)
    put_sums(release)
    archive = release.with_name(f"{release.name}.tar.gz")
    pack(release, archive)
    print(archive)


if __name__ == "__main__":
    main(*sys.argv[1:])
