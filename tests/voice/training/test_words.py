"""Sounds, words and sentences of the recogniser."""

import random

import pytest

from voice.training.characters import common_characters
from voice.training.lexicon import (
    Lexicon,
    build_lexicon,
    english_terms,
    letter_pronunciations,
    operations_words,
    syllables,
)
from voice.training.phones import PHONES, phones_of_syllable
from voice.training.sentences import Segmenter, SentenceWriter, spoken_number


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return build_lexicon()


@pytest.mark.parametrize(
    ("pinyin", "phones"),
    [
        ("xiao3", ("x", "iao")),
        ("zhi4", ("zh", "ir")),
        ("si4", ("s", "iz")),
        ("yu2", ("v",)),
        ("jue2", ("j", "ve")),
        ("lüe4", ("l", "ve")),
        ("er4", ("er",)),
        ("wei4", ("ui",)),
        ("hm", None),
    ],
)
def test_syllables_are_split_as_they_sound(pinyin, phones):
    assert phones_of_syllable(pinyin) == phones


def test_silence_comes_first_because_it_is_the_blank():
    assert PHONES[0] == "SIL"
    assert len(PHONES) == len(set(PHONES)) == 60


def test_common_characters_are_level_one_of_the_national_standard():
    characters = common_characters()
    assert len(characters) == 3_755
    assert (characters[0], characters[-1]) == ("啊", "座")


def test_every_common_character_can_be_heard(lexicon):
    unheard = [character for character in common_characters() if character not in lexicon.pronunciations]
    assert unheard == []


def test_every_syllable_of_the_language_is_reachable(lexicon):
    reachable = syllables(lexicon)
    for pinyin in ("nuan3", "zhuai4", "qiong2", "lv4", "sen1", "ceng2", "diu1"):
        assert phones_of_syllable(pinyin) in reachable
    assert len(reachable) >= 395


@pytest.mark.parametrize(
    "word", ["你好", "小智", "停", "继续", "确认", "取消", "下一条", "日报", "nginx", "timeout", "ok", "w"]
)
def test_words_of_control_and_trade_are_known(lexicon, word):
    assert lexicon.pronunciations[word]


def test_words_sound_as_phrases_do_not_as_single_characters(lexicon):
    assert lexicon.pronunciations["重点"] == {("zh", "ong", "d", "ian")}
    assert lexicon.pronunciations["银行"] == {("in", "h", "ang")}


def test_words_that_the_synthesizer_misreads_are_heard_either_way(lexicon):
    assert lexicon.pronunciations["重启"] == {("ch", "ong", "q", "i"), ("zh", "ong", "q", "i")}


def test_all_letters_and_terms_have_sounds():
    assert len(letter_pronunciations()) == 26
    assert len({term.term for term in english_terms()}) == len(english_terms()) > 50


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "零"),
        (10, "十"),
        (12, "十二"),
        (20, "二十"),
        (105, "一百零五"),
        (110, "一百一十"),
        (2012, "两千零一十二"),
        (1001, "一千零一"),
        (9999, "九千九百九十九"),
    ],
)
def test_numbers_are_said_as_people_say_them(number, said):
    assert spoken_number(number) == said


def test_sentences_are_made_of_known_words_only(lexicon):
    writer, segmenter = SentenceWriter(lexicon, random.Random(1)), Segmenter(lexicon)
    for _ in range(500):
        sentence = writer.sentence()
        words = segmenter.words(sentence)
        assert "".join(words) == sentence.replace(" ", "")
        assert set(words) <= set(lexicon.pronunciations)
        assert "{" not in sentence
        assert "(" not in sentence


def test_same_seed_writes_the_same_sentences(lexicon):
    first, second = (SentenceWriter(lexicon, random.Random(7)) for _ in range(2))
    assert [first.sentence() for _ in range(20)] == [second.sentence() for _ in range(20)]


def test_words_of_operations_are_never_cut(lexicon):
    segmenter = Segmenter(lexicon)
    assert segmenter.words("帮我看看消息队列 kafka 的延迟") == [
        "帮我",
        "看看",
        "消息队列",
        "kafka",
        "的",
        "延迟",
    ]
    assert all(segmenter.words(word) == [word] for word in operations_words())
