"""Filter variant `gopher-paper`: the document rules of Gopher (Rae et al. 2021, arXiv 2112.11446, section A.1.1 and table A1).

Thresholds are the paper's. Where its words leave a choice (what a word, a bullet, a repeat is), the choice is in `pipeline.signals`;
other implementations of these rules choose differently, so their decisions differ. Stop words, the length of words and the letters in them
are rules for English: give sources in other languages `filters: none`.
"""

from __future__ import annotations

from pipeline.filters.rules import Bound, Rule

MOST_TOP_NGRAM = {2: 0.20, 3: 0.18, 4: 0.16}
MOST_REPEATED_NGRAM = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}

# In the order of the paper: a document gets the reason of the first rule that it fails.
RULES = (
    Rule("gopher_words", "50 to 100,000 words", (Bound("words", least=50, most=100_000),)),
    Rule("gopher_mean_word_length", "words of 3 to 10 characters on average", (Bound("word_characters", "words", least=3, most=10),)),
    Rule("gopher_hash_symbols", "at most one # to ten words", (Bound("hash_symbols", "words", most=0.1),)),
    Rule("gopher_ellipses", "at most one ellipsis to ten words", (Bound("ellipses", "words", most=0.1),)),
    Rule("gopher_bullet_lines", "at most 90 % of lines begin with a bullet", (Bound("bullet_lines", "lines", most=0.9),)),
    Rule("gopher_ellipsis_lines", "at most 30 % of lines end with an ellipsis", (Bound("ellipsis_lines", "lines", most=0.3),)),
    Rule("gopher_letter_words", "at least 80 % of words have a letter", (Bound("letter_words", "words", least=0.8),)),
    Rule("gopher_stop_words", "at least two different ones of the eight stop words", (Bound("distinct_stop_words", least=2),)),
    Rule("gopher_repeated_lines", "at most 30 % of lines are repeats", (Bound("repeated_lines", "lines", most=0.30),)),
    Rule("gopher_repeated_paragraphs", "at most 30 % of paragraphs are repeats", (Bound("repeated_paragraphs", "paragraphs", most=0.30),)),
    Rule(
        "gopher_repeated_line_characters",
        "at most 20 % of characters are in repeated lines",
        (Bound("repeated_line_characters", "word_characters", most=0.20),),
    ),
    Rule(
        "gopher_repeated_paragraph_characters",
        "at most 20 % of characters are in repeated paragraphs",
        (Bound("repeated_paragraph_characters", "word_characters", most=0.20),),
    ),
    Rule(
        "gopher_top_ngrams",
        "at most 20, 18, 16 % of characters are in the most frequent 2-, 3-, 4-gram of words",
        tuple(Bound(f"top_{n}gram_characters", "word_characters", most=most) for n, most in MOST_TOP_NGRAM.items()),
    ),
    Rule(
        "gopher_repeated_ngrams",
        "at most 15, 14, 13, 12, 11, 10 % of characters are in repeated 5- to 10-grams of words",
        tuple(Bound(f"repeated_{n}gram_characters", "word_characters", most=most) for n, most in MOST_REPEATED_NGRAM.items()),
    ),
)
