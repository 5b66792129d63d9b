import contextlib
import time

import pytest

from pipeline.losses import NOTHING
from pipeline.readers.web.charset import Undecodable, decode_text, decode_utf8, is_soup

HTML = "<html><body><p>Grüße, Wörter und Sätze.</p></body></html>"
PYTHON = {
    "shift_jis": "cp932",
    "euc-kr": "cp949",
    "gb2312": "gbk",
    "windows-31j": "cp932",
    "ks_c_5601-1987": "cp949",
    "ms_kanji": "cp932",
}
# Made up: a few sentences about a market, in each language.
TEXTS = {
    "ja": "港の近くの古い市場では、毎朝魚が売られています。値段は㎏単位で決まり、人々は早くから並びます。",
    "ko": "오래된 시장은 항구 근처에 있습니다. 사람들은 아침 일찍 와서 생선과 채소를 삽니다. 가격은 매일 다릅니다.",
    "zh": "这座城市的老市场在港口附近。人们每天早上都来这里买鱼和蔬菜，价格每天都不一样。",
    "zh-hant": "這座城市的老市場在港口附近。人們每天早上都來這裡買魚和蔬菜，價格每天都不一樣。",
    "ru": "На старом рынке у гавани каждое утро продают рыбу и овощи, и цены каждый день разные.",
    "uk": "На старому ринку біля гавані щоранку продають рибу й овочі, і ціни щодня різні. Її ґанок гарний.",
    "el": "Στην παλιά αγορά κοντά στο λιμάνι πουλάνε κάθε πρωί ψάρια και λαχανικά, και οι τιμές αλλάζουν.",
    "he": "בשוק הישן ליד הנמל מוכרים בכל בוקר דגים וירקות, והמחירים משתנים מיום ליום.",
    "ar": "في السوق القديم قرب الميناء يباع السمك والخضار كل صباح، وتتغير الأسعار كل يوم.",
    "th": "ที่ตลาดเก่าใกล้ท่าเรือ ผู้คนมาซื้อปลาและผักทุกเช้า และราคาก็เปลี่ยนไปทุกวัน",
    "pl": (
        "Na starym targu w pobliżu portu co rano sprzedaje się świeże ryby, jabłka i gęsi; ceny są różne każdego dnia."
    ),
    "cs": "Na starém tržišti poblíž přístavu se každé ráno prodávají čerstvé ryby a zelenina, ceny jsou různé.",
    "hu": (
        "A kikötő közelében lévő régi piacon minden reggel friss halat és zöldséget árulnak, erről szól a könyvből vett"
        " történet."
    ),
    "tr": (
        "Limanın yakınındaki eski pazarda her sabah taze balık ve sebze satılır; fiyatlar her gün değişir, çünkü iş"
        " güçtür."
    ),
    "fr": "Au vieux marché près du port, on vend chaque matin des poissons frais et des légumes à des prix différents.",
}
LEGACY = [
    *[("ja", name) for name in ("shift_jis", "euc-jp", "windows-31j", "ms_kanji")],
    *[("ko", name) for name in ("euc-kr", "ks_c_5601-1987")],
    *[("zh", name) for name in ("gbk", "gb2312", "gb18030")],
    ("zh-hant", "big5"),
    *[("ru", name) for name in ("windows-1251", "koi8-r", "iso-8859-5", "ibm866")],
    ("uk", "koi8-u"),
    ("uk", "windows-1251"),
    *[("el", name) for name in ("windows-1253", "iso-8859-7")],
    ("he", "windows-1255"),
    ("ar", "windows-1256"),
    ("ar", "iso-8859-6"),
    ("th", "windows-874"),
    *[(language, name) for language in ("pl", "cs", "hu") for name in ("windows-1250", "iso-8859-2")],
    ("tr", "windows-1254"),
    ("fr", "windows-1252"),
]


def page(text, head=""):
    return f"<!DOCTYPE html>\n<html><head>{head}<title>A page</title></head>\n<body><p>{text}</p></body></html>\n"


def encoded(text, label):
    name = {"windows-874": "cp874"}.get(label, PYTHON.get(label, label))
    return text.encode(name, "ignore"), text.encode(name, "ignore").decode(name)


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        (HTML.encode(), None),
        (HTML.encode(), "utf-8"),
        (HTML.encode(), "iso-8859-1"),  # declared wrongly: valid UTF-8 wins
        (b"\xef\xbb\xbf" + HTML.encode(), "windows-1251"),
        (HTML.encode("utf-16"), None),
        (b"\xfe\xff" + HTML.encode("utf-16-be"), "utf-8"),
        (HTML.encode("utf-32"), None),
        (HTML.encode("utf-16-le"), "utf-16le"),
        (HTML.encode("utf-16-le"), None),
        (HTML.encode("utf-16-be"), "utf-8"),
        (HTML.encode("latin-1"), "ISO-8859-1"),
        (HTML.encode("latin-1"), "iso-8859-15"),
        (HTML.encode("latin-1"), None),
        (HTML.encode("latin-1"), "utf-8"),  # declared wrongly: invalid UTF-8
        (HTML.encode("latin-1"), "nonsense"),
        (HTML.encode("latin-1"), "x-user-defined"),
        (b"\xef\xbb\xbf" + HTML.encode("latin-1"), "utf-8"),  # not even the mark is right
        (HTML.encode("latin-1"), "utf-7"),
    ],
)
def test_text_in_german(body, charset):
    decoded = decode_text(body, charset=charset)
    assert (decoded.text, decoded.replaced, decoded.lost) == (HTML, 0, NOTHING)


@pytest.mark.parametrize(("language", "label"), LEGACY)
@pytest.mark.parametrize("declared", ["by header", "by meta", "by old meta", "not", "as utf-8", "as iso-8859-1"])
def test_text_is_read_however_its_encoding_is_declared(language, label, declared):
    head = {
        "by meta": f"<meta charset='{label}'>",
        "by old meta": f'<META content="text/html; charset={label}" http-equiv="Content-Type">',
        "as iso-8859-1": '<meta charset="iso-8859-1">',
    }.get(declared, "")
    body, text = encoded(page(TEXTS[language], head), label)
    decoded = decode_text(body, charset={"by header": label.upper(), "as utf-8": "utf-8"}.get(declared))
    assert decoded.text == text
    assert decoded.replaced == 0


@pytest.mark.parametrize(
    ("language", "label", "wrong"),
    [
        ("ko", "euc-kr", "euc-jp"),
        ("ko", "euc-kr", "gb2312"),
        ("ja", "shift_jis", "euc-jp"),
        ("ja", "euc-jp", "shift_jis"),
        ("zh", "gbk", "big5"),
        ("zh-hant", "big5", "gb2312"),
        ("ru", "windows-1251", "koi8-r"),
        ("ru", "koi8-r", "windows-1251"),
        ("th", "windows-874", "windows-1251"),
    ],
)
def test_a_wrong_label_of_the_same_part_of_the_world_is_seen(language, label, wrong):
    body, text = encoded(page(TEXTS[language]), label)
    assert decode_text(body, charset=wrong).text == text


# Rightly declared, and all that has few letters beyond ASCII or unusual ones: signs, numbers, capitals, single words.
LATIN_1 = [
    "Tickets cost £5, £10 and £20; children £3, families £25.",
    "Mix 1½ cups of flour with ¼ cup of sugar and ¾ teaspoon of salt, then bake at 350°F.",
    "The room is 10² and the cube 5³ m³ in size; x² + y² = z².",
    "5 × 4 = 20 ± 2, 12 ÷ 4 = 3, and 3 µm or 50 µF ± 10%.",
    "Copyright © 2004 Acme® Inc. Widgets® and Gadgets®",
    "¿Qué es esto? ¡Vamos! ¿Sí o no? ¡Claro! El 1º de mayo, la 2ª parte, nº 45",
    "§ 12, §14 and ¶ 3; 99¢, 25¢ each, ¥1,200, ¤ 100, ¬a ¦ b",
    "« Bonjour », dit-il. « a » « b » « c »",
    "note¹, see note², Jones² and Smith³",
    '1¼", 6½st, 8½ × 11, Half-½, ½price',
    "25ºC, 90º, 1.º, 2.ª, Mª José",
    "XIXè siècle, 2ème, n°5, 18år, Ö1, Ü30-Party",
    "don´t, Rock´n´Roll, l´amour",
    *("£", "½", "²", "°", "©", "®", "«", "¿", "é", "Ø", "£9.99", "35°", "¡Ay!", "nº", "café", "Zoë", "É"),
    *(
        "ÉCOLE DE MUSIQUE",
        "MÜLLER & SÖHNE GMBH",
        "ESPAÑA",
        "AÇÃO",
        "ØRSTED",
        "PÄÄSIVU",
        "ÍSLAND",
        "¿QUÉ TAL?",
        "CRÈME BRÛLÉE",
    ),
]
RIGHT = [
    *[("iso-8859-1", text) for text in LATIN_1],
    *[("iso-8859-15", text) for text in ("5 €, 100 € TTC", "ŒUVRE", "œuf", "Žižek", "Škoda")],
    *[("windows-1252", text) for text in ("5 € – “quoted” … brand™", "Øystein sá ikki ræðið á fjøllunum, tað var ørt")],
    *[
        ("koi8-r", text)
        for text in (
            "МОСКВА СТОЛИЦА РОССИИ",
            "НОВОСТИ",
            "© 2003 Москва",
            "100км, 15ч",
            "┌──┐ Цена │ 10 │ 20",
            "А. Б. В.",
            "ЩЁЛКА",
        )
    ],
    *[
        ("windows-1251", text)
        for text in (
            "ЖКХ, ФИО, ГУМ",
            "«Да» — №5",
            "Қазақстан".replace("Қ", "К").replace("қ", "к"),
            "ЊЕГОШ, ЂОРЂЕ",
            "СКОПЈЕ",
            "КИЇВ",
        )
    ],
    *[("ibm866", text) for text in ("МОСКВА", "│ Цена │ № 5")],
    *[("iso-8859-7", text) for text in ("ΕΛΛΑΔΑ ΝΕΑ", "ΑΡΧΙΚΗ ΣΕΛΙΔΑ", "10ος, 1η", "Ο.Τ.Ε.", "ΨΩΜΙ ΞΕΝΟΔΟΧΕΙΟ")],
    *[
        ("shift_jis", text)
        for text in ("ｱｲｳｴｵ", "ﾆｭｰｽ ﾗﾝｷﾝｸﾞ 2004", "ﾒｰﾙ", "■ニュース", "①②③", "│├─┤", "ТЕЛ 03", "αβγ", "ｼｮｯﾋﾟﾝｸﾞ・ｹﾞｰﾑ｡")
    ],
    *[
        ("gbk", text)
        for text in (
            "版权所有 © 2004".replace("©", "C"),
            "★推荐★",
            "２００４年",
            "αβγ",
            "ōáǎà",
            "привет",
            "ひらがなとカタカナ",
        )
    ],
    *[("euc-kr", text) for text in ("㈜한국", "韓國 歷史", "①②", "가격: 5원")],
    *[("big5", text) for text in ("★推薦★", "２００４年", "【公告】")],
    *[
        ("windows-1250", text)
        for text in ("ŁÓDŹ, ŻÓŁW", "10 zł, 500 Kč", "ŽIVOT, ŘÍJEN", "§ 5, ±2, 5°", "FŐVÁROS, ŰR", "ţară, ŢARĂ")
    ],
    *[("windows-1254", text) for text in ("İSTANBUL, TÜRKİYE", "ANASAYFA · İLETİŞİM", "10 m², £5, ½")],
    *[("windows-1257", text) for text in ("LIETUVOS ŽINIOS", "KĻAVA, ĀBOLS", "2½, £5, ±3", "Ærø")],
    *[("windows-1256", text) for text in ("déjà vu", "رقم 10", "نعم؟")],
    *[("windows-1255", text) for text in ('5 ש"ח', "₪ 50, שלום")],
    *[("windows-874", text) for text in ("5 บาท", "พ.ศ. ๒๕๔๐")],
]


@pytest.mark.parametrize(("label", "text"), RIGHT)
def test_a_page_that_is_declared_rightly_is_never_read_otherwise(label, text):
    for several in (text, f"{text} " * 3, f"Some text in English. {text} And some more, over the line."):
        by_header, by_meta = page(several), page(several, f"<meta charset='{label}'>")
        assert (
            decode_text(encoded(by_header, label)[0], charset=label).text == encoded(by_header, label)[1] == by_header
        )
        assert decode_text(encoded(by_meta, label)[0]).text == by_meta


@pytest.mark.parametrize("text", LATIN_1[:9])
def test_signs_of_latin_1_are_guessed(text):
    assert decode_text(page(text).encode("latin-1")).text == page(text)


@pytest.mark.parametrize("label", ["windows-31j", "gb18030", "euc-kr", "big5", "iso-8859-1", "windows-1251"])
def test_utf_8_is_read_whatever_is_declared(label):
    for text in TEXTS.values():
        assert decode_text(page(text).encode(), charset=label).text == page(text)


def test_one_word_in_a_declared_encoding_that_happens_to_be_utf_8():
    body, text = encoded(page("系统"), "gbk")
    assert body.decode() != text  # valid, and nobody's letters
    assert decode_text(body, charset="gb2312").text == text
    assert decode_text(page("©").encode(), charset="gb2312").text == page("©")
    assert decode_text(page("пять лет прошло").encode(), charset="gb2312").text == page("пять лет прошло")


def test_the_encodings_of_seven_bits():
    for text, codec, label in (
        (TEXTS["ja"].replace("㎏", "kg"), "iso-2022-jp", "iso-2022-jp"),
        (TEXTS["zh"], "hz", "hz-gb-2312"),
    ):
        assert decode_text(page(text).encode(codec), charset=label).text == page(text)
    korean = page(TEXTS["ko"])
    assert (
        decode_text(b"\x1b$)C" + korean.encode("iso2022_kr").removeprefix(b"\x1b$)C"), charset="iso-2022-kr").text
        == korean
    )
    japanese = page(TEXTS["ja"].replace("㎏", "kg"))
    assert decode_text(japanese.encode("iso-2022-jp")).text == japanese  # not declared
    ascii_page = page("a ~{ b } \x1b[1m")
    assert decode_text(ascii_page.encode()).text == ascii_page


@pytest.mark.parametrize("name", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_character_that_the_end_cuts_is_no_loss(name, cut):
    body = page("日本語").encode(name) + "語".encode(name)[: min(cut, 2 if name == "utf-8" else 1)]
    decoded = decode_text(body, charset=name.removesuffix("-le"))
    assert (decoded.text, decoded.replaced) == (page("日本語"), 0)


def test_slips_are_counted_and_what_the_page_itself_holds_is_not():
    text = page("Grüße aus Köln. " * 100 + "\ufffd")
    decoded = decode_text(text.encode() + b"\xff \xfe")
    assert decoded.text == text + "\ufffd \ufffd"
    assert decoded.lost == {("replaced_characters", "utf-8"): 2}
    korean, text = encoded(page(TEXTS["ko"] * 5), "euc-kr")
    decoded = decode_text(korean + b"<p>\xff</p>", charset="euc-kr")
    assert decoded.text == text + "<p>\ufffd</p>"
    assert decoded.lost == {("replaced_characters", "euc-kr"): 1}


@pytest.mark.parametrize(
    "body",
    [
        page(TEXTS["ko"]).encode().replace(b"\x9d", b"\x1d").replace(b"\xea\xb0", b"\xea"),  # UTF-8 with many holes
        b"<html><body><p>" + bytes(range(0x80, 0x100)) * 40,
        b"<p>" + bytes((at * at * 7 + 13 * at) % 251 for at in range(4_000)),
        b"\xff\xfe" + page("x").encode("utf-16-le") + b"\x00\xd8" * 5_000,
    ],
)
@pytest.mark.parametrize("charset", [None, "utf-8", "euc-kr"])
def test_what_no_encoding_makes_text_of_is_undecodable(body, charset):
    with pytest.raises(Undecodable):
        decode_text(body, charset=charset)


def test_text_that_others_have_made_is_utf_8():
    assert decode_utf8("naïve café ".encode() * 20 + b"\xff").lost == {("replaced_characters", "utf-8"): 1}
    assert decode_utf8("café".encode()[:-1]).text == "caf"
    with pytest.raises(Undecodable):
        decode_utf8("café".encode("latin-1") + b"!")
    assert is_soup("한\ufffd\ufffd\ufffd 국\ufffd")
    assert not is_soup(
        "It\ufffds a long sentence with one mark that is gone, and it\ufffds still read by everyone. " * 2
    )


@pytest.mark.parametrize(
    "unit",
    [
        b"<meta ",
        b"<meta charset=x>",
        b"<a b='",
        b"<!--",
        b"<script>",
        b"\x1b$B",
        b"\x1b(J",
        b"\xe9",
        b"\x81",
        b"<p>\xe9 ",
        b"\xb0\xa1\xff",
        b"~{",
        b"a=" + b" " * 50,
        b"<x y=z ",
        b"\x8f\xa2",
    ],
)
@pytest.mark.parametrize("charset", [None, "iso-2022-jp", "euc-jp", "big5"])
def test_the_cost_grows_with_the_size(unit, charset):
    def seconds(repeats):
        body = b"<p>" + unit * repeats + b"\xff"
        least = 1e9
        for _ in range(3):
            began = time.process_time()
            with contextlib.suppress(Undecodable):
                decode_text(body, charset=charset)
            least = min(least, time.process_time() - began)
        return least

    small = 50_000 // len(unit)
    assert seconds(8 * small) < 20 * max(seconds(small), 0.05)
