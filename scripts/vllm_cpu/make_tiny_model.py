#!/usr/bin/env python3
"""Makes a tiny Llama for vLLM's CPU backend: config.json and a real BPE tokenizer, no weights.

    make_tiny_model.py OUT_DIR [--hidden 64] [--layers 2] [--heads 2] [--kv-heads 2]

The server must run with `--load-format dummy`: random weights, the same on every start. Nothing is
downloaded: the tokenizer is trained on the sources of Python's own standard library, so that one
Python version always makes the same one. Needs `tokenizers` and `transformers`, which come with
vLLM. Takes a few seconds.
"""
import argparse
import json
import pathlib
import sysconfig

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

VOCABULARY = 8192
HEAD_DIM = 32
LONGEST_CONTEXT = 65536
END_OF_TEXT, TURN_START, TURN_END = SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}")


def train_tokenizer():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    library = pathlib.Path(sysconfig.get_paths()["stdlib"])
    tokenizer.train(
        sorted(map(str, library.glob("*.py")))[:150],
        trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=SPECIAL, show_progress=False,
                            initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=TURN_END, pad_token=END_OF_TEXT)
    fast.chat_template = CHAT_TEMPLATE
    return fast


def model_config(size):
    return {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "torch_dtype": "float32",
        "hidden_act": "silu", "hidden_size": size.hidden, "intermediate_size": 2 * size.hidden,
        "num_hidden_layers": size.layers, "num_attention_heads": size.heads,
        "num_key_value_heads": size.kv_heads, "head_dim": HEAD_DIM, "vocab_size": VOCABULARY,
        "max_position_embeddings": LONGEST_CONTEXT, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
        "tie_word_embeddings": True, "bos_token_id": SPECIAL.index(END_OF_TEXT),
        "eos_token_id": SPECIAL.index(TURN_END)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--heads", type=int, default=2)
    parser.add_argument("--kv-heads", type=int, default=2)
    size = parser.parse_args()
    size.out.mkdir(parents=True, exist_ok=True)
    train_tokenizer().save_pretrained(size.out)
    # Last: a folder with config.json is a whole model.
    (size.out / "config.json").write_text(json.dumps(model_config(size), indent=1) + "\n")
    kv_bytes = size.layers * 2 * size.kv_heads * HEAD_DIM * 4
    print(f"{size.out}: vocabulary of {VOCABULARY}, {kv_bytes} B of KV cache per token (float32)")


if __name__ == "__main__":
    main()
