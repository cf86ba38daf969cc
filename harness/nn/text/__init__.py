"""Reading words: encoders and tokenizers of transformers, fitted vocabularies, casing, adapters."""
