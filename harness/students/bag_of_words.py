"""The student that counts words: what can be read off a transcript without its order."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, Self

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import normalize

from harness.nn.heads import ScoreHead
from harness.nn.text.word_list import FIRST_WORD, WordList
from harness.nn.text.words import Words, WordsConfig
from harness.registry import STUDENTS
from harness.spec import BadInput, ChoiceSpace, FloatSpace, IntSpace, OutputName
from harness.types import Batch, DataInfo, Outputs, Padded

WeightingName = Literal["count", "binary", "tfidf"]


class BagOfWordsConfig(WordsConfig):
    """Which words are counted, how they are weighed, and what is put on top."""

    vocabulary: int = Field(5000, ge=1, description="words, the most frequent of train")
    min_count: int = Field(2, ge=1, description="words said less often in train are ignored")
    weighting: WeightingName = Field(
        "tfidf", description="how often a word is said, whether it is, or how telling it is"
    )
    width: int = Field(0, ge=0, description="width of the hidden layer; 0 = none, a linear model")

    def gives(self) -> frozenset[OutputName]:
        """With a hidden layer, also its vector; word weights themselves are no representation."""
        return super().gives() | (frozenset({"embedding"}) if self.width else frozenset())

    def halved(self) -> Self:
        """Half the hidden layer, rounded down; the words stay."""
        if self.width <= 1:
            raise BadInput(
                f"a bag of words of width {self.width} has no half; give it a hidden layer", key="width"
            )
        return self.resized(width=self.width // 2)


@STUDENTS.register(
    "bag_of_words",
    config=BagOfWordsConfig,
    paper="Spärck Jones 1972, doi 10.1108/eb026526; Salton and Buckley 1988, "
    "doi 10.1016/0306-4573(88)90021-0",
    tiny={"vocabulary": 50, "min_count": 1, "width": 4},
    space={
        # No width: without a hidden layer, the default, it is another model, which gives no embedding.
        "vocabulary": IntSpace(low=500, high=20_000, log=True),
        "min_count": IntSpace(low=1, high=5),
        "weighting": ChoiceSpace(choices=("count", "binary", "tfidf")),
        "dropout": FloatSpace(low=0, high=0.5),
    },
)
class BagOfWords(nn.Module):
    """A score from which words a clip has, linear in their weights or through one hidden layer."""

    def __init__(self, config: BagOfWordsConfig, info: DataInfo) -> None:
        super().__init__()
        # The word list lower-cases all there is, so capitals need no case of their own.
        self._words = Words(info.train_transcripts, lowercase_capitals=False)
        self._list = _stored_or_counted(config, info)
        if not len(self._list):
            raise BadInput(
                f"no word of the training transcripts is said {config.min_count} times", key="min_count"
            )
        self.weights = WordWeights(config.weighting, self._list, info.train_transcripts)
        count = len(self._list)
        self.layer = nn.Sequential(nn.Linear(count, config.width), nn.GELU()) if config.width else None
        self.head = ScoreHead(config.width or count, config.levels, config.dropout)

    def tokenise(self, batch: Batch) -> Batch:
        """The same clips with `tokens` (B, L), one a word.

        Raises:
            BadInput: a transcript is empty.
        """
        return replace(batch, tokens=self._list.encode(self._words.read(batch)))

    def tokenizer_json(self) -> str:
        """The word list as the library `tokenizers` stores it."""
        return self._list.to_json()

    def forward(self, batch: Batch) -> Outputs:
        """Score (B,), and the hidden vector (B, D) if there is one, from `batch.tokens`."""
        if batch.tokens is None:
            raise ValueError("the student reads tokens; call tokenise on the clips first")
        weights = self.weights(batch.tokens)
        if self.layer is None:
            score, class_logits = self.head(weights)
            return Outputs(score, class_logits=class_logits)
        return self.head.outputs(self.layer(weights))

    def notes(self) -> tuple[str, ...]:
        """How many words are known."""
        return (f"bag of words: {len(self._list)} words of the training transcripts",)


def _stored_or_counted(config: BagOfWordsConfig, info: DataInfo) -> WordList:
    if info.tokenizer_json is not None:
        return WordList.from_json(info.tokenizer_json)
    return WordList(info.train_transcripts, config.vocabulary, config.min_count)


class WordWeights(nn.Module):
    """The weight of every known word in each clip: ids (B, L) to (B, V).

    `count` n(w), how often w is said; `binary` 1 if it is; `tfidf` n(w) · (ln((1 + N) / (1 + N(w))) + 1)
    scaled to unit length, where N(w) of N training clips have w (scikit-learn's smooth form). Unknown
    words have no weight, so that a clip of them alone is the zero vector.
    """

    def __init__(self, weighting: WeightingName, words: WordList, transcripts: tuple[str, ...]) -> None:
        super().__init__()
        self._weighting = weighting
        # A buffer also where all words count alike: its type is the one that the trial computes in.
        self.word_weight: Tensor
        self.register_buffer("word_weight", torch.ones(len(words)))
        # A trained model's come with its weights.
        if weighting == "tfidf" and transcripts:
            clips = (self._counts(words.encode(transcripts)) > 0).sum(0).double()
            self.word_weight = (torch.log((1 + len(transcripts)) / (1 + clips)) + 1).float()

    def forward(self, tokens: Padded) -> Tensor:
        """The weights (B, V) of the words of clips."""
        counts = self._counts(tokens)
        if self._weighting == "binary":
            return counts.clamp(max=1)
        return normalize(counts * self.word_weight) if self._weighting == "tfidf" else counts

    def _counts(self, tokens: Padded) -> Tensor:
        clips = tokens.values.shape[0]
        counts = self.word_weight.new_zeros(clips, FIRST_WORD + len(self.word_weight))
        said = tokens.mask.to(counts.dtype)
        return counts.scatter_add(1, tokens.values, said)[:, FIRST_WORD:]
