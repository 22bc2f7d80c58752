"""The part of check_words.sh that PyPI packages serve; see check_words.mjs."""

import pathlib
import sys

import mistral_common
from mistral_common.tokens.tokenizers.tekken import Tekkenizer

DATA = pathlib.Path(mistral_common.__file__).parent / "data"


def main():
    words = pathlib.Path(sys.argv[1]).read_text().split()
    text = "".join(" " + word for word in words)
    good = True
    for version in ("240718", "240911"):
        tokenizer = Tekkenizer.from_file(DATA / f"tekken_{version}.json")
        whole = sum(len(tokenizer.encode(" " + word, bos=False, eos=False)) == 1
                    for word in words)
        in_a_row = len(tokenizer.encode(text, bos=False, eos=False))
        good = good and whole == len(words) == in_a_row
        name = f"Mistral (Tekken {version})"
        print(f"{name:<34} {whole:>10} {len(words):>9}  {in_a_row} tokens")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
