"""A vocabulary of whole words fitted to the training transcripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch
from tokenizers import Regex, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import Split

from harness.types import Padded

WORD = r"\w+(?:'\w+)*"
"""Letters and digits, with apostrophes inside: "don't" is one word."""

PAD, UNKNOWN, FIRST_WORD = 0, 1, 2


class WordList:
    """The most frequent words, lower-cased; of equally frequent ones, the first by the alphabet.

    Args:
        transcripts: where words are counted; training clips only.
        vocabulary: at most so many words.
        min_count: words said less often are unknown.

    Attributes:
        words: the words, most frequent first; word n has the id `FIRST_WORD` + n.
    """

    def __init__(self, transcripts: Sequence[str], vocabulary: int, min_count: int) -> None:
        normalizer, splitter = Lowercase(), Split(Regex(WORD), behavior="removed", invert=True)
        counts: Counter[str] = Counter()
        for text in transcripts:
            found = splitter.pre_tokenize_str(normalizer.normalize_str(text))
            counts.update(word for word, _ in found)
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        self.words = tuple(word for word, count in ranked[:vocabulary] if count >= min_count)
        ids = {word: FIRST_WORD + row for row, word in enumerate(self.words)}
        special = {"<pad>": PAD, "<unk>": UNKNOWN}
        tokenizer = Tokenizer(WordLevel({**special, **ids}, unk_token="<unk>"))  # noqa: S106 - no secret
        tokenizer.normalizer = normalizer
        tokenizer.pre_tokenizer = splitter
        tokenizer.enable_padding(pad_id=PAD, pad_token="<pad>")  # noqa: S106 - no secret
        self._tokenizer = tokenizer

    @classmethod
    def from_json(cls, stored: str) -> WordList:
        """The vocabulary that `to_json` stored."""
        found = cls.__new__(cls)
        found._tokenizer = Tokenizer.from_str(stored)
        ids = found._tokenizer.get_vocab()
        found.words = tuple(
            sorted((word for word in ids if ids[word] >= FIRST_WORD), key=ids.__getitem__)
        )
        return found

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, transcripts: Sequence[str]) -> Padded:
        """Word ids (B, L), unknown words included, and which of them are not padding."""
        encoded = self._tokenizer.encode_batch(list(transcripts))
        ids = torch.tensor([one.ids for one in encoded], dtype=torch.long)
        mask = torch.tensor([one.attention_mask for one in encoded], dtype=torch.bool)
        return Padded(ids, mask)

    def to_json(self) -> str:
        """The vocabulary as the library `tokenizers` stores and reads it."""
        return str(self._tokenizer.to_str())
