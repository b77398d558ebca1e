"""Finding drugs in free text: names, misspelt names, words that reject a text, route, strength and frequency."""

from valuesets.text.index import TextIndex
from valuesets.text.words import READ_AT_MOST, Name, Word, normalise, split_words

__all__ = ["READ_AT_MOST", "Name", "TextIndex", "Word", "normalise", "split_words"]
