"""Cuts windows out of large photographs, a half and a quarter of their sides, so that crops of them show smaller things.

    python3 -m venv venv && venv/bin/pip install pillow
    venv/bin/python models/windows.py FOLDER --out windows

Pictures of less than 1,000 pixels are left out, and copies of others; the rest is at most 2,560 pixels long.
"""

import argparse
import pathlib

from PIL import Image, UnidentifiedImageError

KINDS = {".jpg", ".jpeg", ".png", ".webp"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", metavar="FOLDER", type=pathlib.Path, help="photographs, in folders of any depth")
    parser.add_argument("--out", required=True, metavar="FOLDER", type=pathlib.Path, help="where the windows go")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    seen, count = set(), 0
    for path in sorted(args.folder.rglob("*")):
        if path.suffix.lower() not in KINDS:
            continue
        try:
            picture = Image.open(path).convert("RGB")
        except (OSError, UnidentifiedImageError) as error:
            print(f"{path}: {error}")
            continue
        if min(picture.size) < 1000:
            continue
        picture.thumbnail((2560, 2560))
        small = picture.resize((16, 16)).tobytes()
        if small in seen:
            continue
        seen.add(small)
        width, height = picture.size
        for parts in (2, 4):
            for place in range(parts * parts):
                x, y = place % parts, place // parts
                sides = (x * width // parts, y * height // parts, (x + 1) * width // parts, (y + 1) * height // parts)
                picture.crop(sides).save(args.out / f"{count:05}.jpg", quality=92)
                count += 1
    print(f"{args.out}: {count} windows of {len(seen)} photographs")


if __name__ == "__main__":
    main()
