"""A byte-level BPE tokenizer fitted to the training transcripts, for models without a pretrained one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.processors import RobertaProcessing
from tokenizers.trainers import BpeTrainer

from harness.types import DataInfo, Padded

# RoBERTa's own order, so that its position ids (which count from the padding id) come out right.
SPECIAL_TOKENS = ("<s>", "<pad>", "</s>", "<unk>")
START, PAD, END = 0, 1, 2


class ByteLevelBPE:
    """Byte-level BPE as RoBERTa uses it (Radford et al. 2019, section 2.2), at any vocabulary size.

    Args:
        transcripts: texts to fit the merges to; training clips only.
        vocabulary: upper bound of the number of tokens, above the 256 bytes and 4 specials.
        max_tokens: longer texts are cut, the end token kept.
    """

    def __init__(self, transcripts: Sequence[str], vocabulary: int, max_tokens: int) -> None:
        tokenizer = Tokenizer(BPE(unk_token="<unk>"))  # noqa: S106 - not a secret
        tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=True)
        tokenizer.decoder = ByteLevelDecoder()
        trainer = BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=list(SPECIAL_TOKENS),
            initial_alphabet=ByteLevel.alphabet(),
            show_progress=False,
        )
        tokenizer.train_from_iterator(transcripts, trainer)
        tokenizer.post_processor = RobertaProcessing(("</s>", END), ("<s>", START))
        tokenizer.enable_truncation(max_tokens)
        tokenizer.enable_padding(pad_id=PAD, pad_token="<pad>")  # noqa: S106 - not a secret
        self._tokenizer = tokenizer

    @classmethod
    def from_json(cls, stored: str) -> ByteLevelBPE:
        """The tokenizer that `to_json` stored."""
        found = cls.__new__(cls)
        found._tokenizer = Tokenizer.from_str(stored)
        return found

    def __len__(self) -> int:
        return int(self._tokenizer.get_vocab_size())

    def encode(self, transcripts: Sequence[str]) -> Padded:
        """Token ids (B, L) between start and end token, and which of them are not padding."""
        encoded = self._tokenizer.encode_batch(list(transcripts))
        ids = torch.tensor([one.ids for one in encoded])
        mask = torch.tensor([one.attention_mask for one in encoded], dtype=torch.bool)
        return Padded(ids, mask)

    def to_json(self) -> str:
        """The tokenizer as the library `tokenizers` stores and reads it."""
        return str(self._tokenizer.to_str())

    def decode(self, ids: Sequence[int]) -> str:
        """The text of token ids, special tokens left out."""
        return str(self._tokenizer.decode(list(ids)))


def stored_or_fitted(
    info: DataInfo,
    case: Callable[[Sequence[str]], Sequence[str]],
    vocabulary: int,
    max_tokens: int,
) -> ByteLevelBPE:
    """A trained model's own tokenizer, or else one fitted to the training transcripts.

    Args:
        info: of the data; has the tokenizer of a model that is trained.
        case: gives transcripts the case that they are read in.
        vocabulary: of the tokenizer that is fitted.
        max_tokens: of the tokenizer that is fitted.
    """
    if info.tokenizer_json is not None:
        return ByteLevelBPE.from_json(info.tokenizer_json)
    return ByteLevelBPE(case(info.train_transcripts), vocabulary, max_tokens)
