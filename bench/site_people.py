"""Made-up persons, firms and their particulars in eight locales, for planted web sites (`bench/site_templates.py`).

In: a `random.Random` and a locale. Out: names, addresses, telephone numbers, dates, numbers with right check digits, as
texts. Every value is drawn when it is asked for, so the order of the calls decides what comes out. Pools of names and
places are in `bench/site_pools.txt`, what pages say in seven languages in the files of `WORDS`. Where the development
corpora stand beside the project, one person in 25 has the name, street and town of a row of
`pii/FakeNameGenerator.com_100.csv`, with house and telephone numbers redrawn: the forms of 27 countries.
"""

from __future__ import annotations

import csv
import random
import re
import unicodedata
from collections import defaultdict
from datetime import date, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from stdnum import luhn
from stdnum.es import ccc
from stdnum.iso7064 import mod_11_10
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.pl import pesel

from bench.personal_values import MONTHS

HERE = Path(__file__).resolve().parent
CORPORA = HERE.parent.parent / "shared" / "corpora"
# What pages say; the files have no key in common.
WORDS = ("site_words.txt", "site_fifth_words.txt")
LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pl")

# Telephone numbers in national form: # is any digit, N one of 2 to 9, P one of 2 to 6. The forms are those of numbers that are given out.
PHONES = {
    "en_US": "(CCC) NPP-#### CCC-NPP-#### CCC.NPP.#### +1~CCC~NPP~#### CCC~NPP~#### 1-CCC-NPP-####",
    "en_GB": "020~7P##~#### 020~8P##~#### 0121~4P#~#### 0131~5P#~#### 01865~2##### 01223~3##### 01904~6##### 07771~###### 07812~###### "
    "07971~###### +44~7890~###### +44~20~7P##~####",
    "de_DE": "030/N####### 030~N####### 089~N####### (040)~N####### 0221~N###### 0711/N###### 0151~2####### 0170~N###### 0176~N####### "
    "+49~30~N####### +49~172~N###### 0341~N######",
    "fr_FR": "01~4#~##~##~## 02~4#~##~##~## 03.8#.##.##.## 04~7#~##~##~## 05.5#.##.##.## 06~P#~##~##~## 06.P#.##.##.## 07~8#~##~##~## "
    "+33~6~P#~##~##~## 01P#######",
    "es_ES": "91~5##~##~## 93~4##~##~## 95~4##~##~## 96~3##~##~## 6P#~###~### 6P#~##~##~## 6P####### +34~6P#~###~### 981~5##~###",
    "it_IT": "06~4###~#### 02~4###~#### 011~5##~#### 051~4##~### 347~NNN~#### 328~NNN~#### 333/NNN#### +39~339~NNN~#### 335-NNN#### 055~4#####",
    "nl_NL": "020-6###### 010-4###### 030-2###### 050-3###### 06-2####### 06~4####### 06-5####### +31~6~1####### (024)~3######",
    "pl_PL": "22~8##~##~## 12~4##~##~## 61~8##~##~## 501~###~### 602-###-### 691~###~### +48~505~###~### 604###### (58)~3##~##~##",
}
# Area codes of the towns' states and others.
AREAS = (
    "217 309 937 419 330 918 316 785 402 515 319 208 509 253 541 503 559 661 209 520 480 915 806 254 972 318 251 256 478 912 813 352 919 540 "
    "570 814 518 315 860 978 517 920 212 312 415 617 303 602"
).split()
FREE_MAIL = {
    "en_US": "gmail.com yahoo.com hotmail.com aol.com comcast.net verizon.net outlook.com icloud.com",
    "en_GB": "gmail.com hotmail.co.uk yahoo.co.uk btinternet.com sky.com talktalk.net outlook.com virginmedia.com",
    "de_DE": "gmx.de web.de t-online.de gmail.com freenet.de gmx.net arcor.de hotmail.de",
    "fr_FR": "orange.fr free.fr wanadoo.fr laposte.net gmail.com hotmail.fr sfr.fr yahoo.fr",
    "es_ES": "gmail.com hotmail.es yahoo.es telefonica.net hotmail.com outlook.es terra.es",
    "it_IT": "libero.it virgilio.it gmail.com alice.it tiscali.it hotmail.it tin.it",
    "nl_NL": "gmail.com ziggo.nl kpnmail.nl planet.nl hotmail.nl live.nl xs4all.nl",
    "pl_PL": "wp.pl onet.pl o2.pl interia.pl gmail.com poczta.onet.pl op.pl",
}
TLDS = {
    "en_US": "com org net us",
    "en_GB": "co.uk org.uk com uk",
    "de_DE": "de com info net",
    "fr_FR": "fr com org net",
    "es_ES": "es com org net",
    "it_IT": "it com org eu",
    "nl_NL": "nl com org eu",
    "pl_PL": "pl com.pl com org",
}
FIRM_FORMS = {
    "en_US": "Inc. LLC Corp. & Sons Group",
    "en_GB": "Ltd plc & Sons Partners",
    "de_DE": "GmbH AG KG & Söhne e.K.",
    "fr_FR": "SARL SAS SA EURL & Fils",
    "es_ES": "S.L. S.A. e_Hijos",
    "it_IT": "S.r.l. S.p.A. S.n.c. & Figli",
    "nl_NL": "B.V. N.V. V.O.F. & Zn.",
    "pl_PL": "sp._z_o.o. S.A. s.c. sp.j.",
}
STREET_KINDS = {
    "en_US": "Street Avenue Drive Lane Road Court St Ave Dr Ln Rd Blvd Way Circle",
    "fr_FR": "rue rue rue avenue place boulevard chemin impasse",
    "es_ES": "Calle Calle C/ Avenida Plaza Paseo Avda.",
    "it_IT": "Via Via Via Viale Corso Piazza Largo Vicolo",
}
# How dates are written with numbers, how in words; {m} is the number of the month, {month} its name.
DATES = {
    "en_US": ("{m:02}/{d:02}/{y}", "{m}/{d}/{y}", "{y}-{m:02}-{d:02}", "{month} {d}, {y}"),
    "en_GB": ("{d:02}/{m:02}/{y}", "{d}/{m}/{y}", "{d:02}.{m:02}.{y}", "{d} {month} {y}"),
    "de_DE": ("{d:02}.{m:02}.{y}", "{d}.{m}.{y}", "{y}-{m:02}-{d:02}", "{d}. {month} {y}"),
    "fr_FR": ("{d:02}/{m:02}/{y}", "{d:02}.{m:02}.{y}", "{d:02}-{m:02}-{y}", "{d} {month} {y}"),
    "es_ES": ("{d:02}/{m:02}/{y}", "{d}-{m}-{y}", "{d:02}-{m:02}-{y}", "{d} de {month} de {y}"),
    "it_IT": ("{d:02}/{m:02}/{y}", "{d}.{m}.{y}", "{d:02}-{m:02}-{y}", "{d} {month} {y}"),
    "nl_NL": ("{d:02}-{m:02}-{y}", "{d}-{m}-{y}", "{y}-{m:02}-{d:02}", "{d} {month} {y}"),
    "pl_PL": ("{d:02}.{m:02}.{y}", "{d}.{m}.{y}", "{y}-{m:02}-{d:02}", "{d} {month} {y}"),
}


class Town(NamedTuple):
    """A town: `postcode` is the beginning of its postcodes, `state` what is written beside it, or empty."""

    name: str
    postcode: str
    state: str


class Pools(NamedTuple):
    """What a locale's names and places are drawn from."""

    given: list[str]
    surnames: list[str]
    streets: list[str]
    towns: list[Town]


@cache
def pools(locale: str) -> Pools:
    """The pools of a locale."""
    found: dict[str, list[str]] = defaultdict(list)
    section = ""
    for line in (HERE / "site_pools.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            section = line[3:]
        elif not line.startswith("#"):
            found[section] += [word.replace("_", " ") for word in line.split()]
    towns = [Town(*(*entry.split("/"), "")[:3]) for entry in found[f"{locale} towns"]]
    return Pools(found[f"{locale} given"], found[f"{locale} surnames"], found[f"{locale} streets"], towns)


@cache
def words(language: str) -> dict[str, list[str]]:
    """What pages of a language say: labels with their variants, sentences and lists, by key."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in WORDS:
        section = ""
        for line in (HERE / name).read_text(encoding="utf-8").splitlines():
            if line.startswith("== "):
                section = line[3:]
            elif line.startswith("#") or not line:
                continue
            elif not section:
                key, *texts = (text.strip() for text in line.split("|"))
                found[key] = texts[LANGUAGES.index(language)].split("/")
            elif section.startswith(language + " "):
                found[section[3:]] += [line] if "{" in line or section.endswith("prose") else line.split("|")
    return dict(found)


@cache
def strangers() -> list[tuple[str, str, str, str, str]]:
    """Name, street, postcode, town and telephone number of the rows of FakeNameGenerator's table; empty without it."""
    path = CORPORA / "pii" / "FakeNameGenerator.com_100.csv"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [
            (
                f"{row['GivenName']} {row['Surname']}",
                row["StreetAddress"],
                row["ZipCode"],
                row["City"],
                row["TelephoneNumber"],
            )
            for row in csv.DictReader(file)
        ]


@lru_cache(maxsize=20_000)
def ascii_slug(text: str) -> str:
    """Lower-case letters and digits of a text, for addresses."""
    text = (
        text.lower()
        .replace("ß", "ss")
        .replace("ł", "l")
        .replace("ø", "o")
        .replace("ı", "i")
        .replace("ü", "ue")
        .replace("ö", "oe")
    )
    return re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode())


def digits(rng: random.Random, form: str) -> str:
    """The form with its signs replaced: # any digit, N 2 to 9, P 2 to 6, CCC an area code of the United States."""
    if "CCC" in form:
        form = form.replace("CCC", rng.choice(AREAS))
    number = rng.getrandbits(64)
    out = []
    for sign in form:
        if sign == "#":
            number, digit = divmod(number, 10)
            out.append(str(digit))
        elif sign == "N":
            number, digit = divmod(number, 8)
            out.append(str(2 + digit))
        elif sign == "P":
            number, digit = divmod(number, 5)
            out.append(str(2 + digit))
        else:
            out.append(" " if sign == "~" else sign)
    return "".join(out)


class Person(NamedTuple):
    """A private person; everything as it is written. `place` is postcode and town in the country's order."""

    name: str
    street: str
    place: str
    town: str
    birth: date

    @property
    def address(self) -> str:
        return f"{self.street}, {self.place}"

    @property
    def age(self) -> int:
        return 2024 - self.birth.year


class People:
    """Draws persons, firms and their particulars of one locale; a site's forms of telephone numbers and dates are few."""

    def __init__(self, rng: random.Random, locale: str) -> None:
        self.rng, self.locale, self.language = rng, locale, locale[:2]
        self.pools = pools(locale)
        forms = PHONES[locale].replace("(CCC) ", "(CCC)~").split()
        self.phone_forms = rng.sample(forms, 3 if rng.random() < 0.5 else len(forms))
        *numeric, self.in_words = DATES[locale]
        self.numeric = rng.choice(numeric)
        self.months = MONTHS[self.language].split()
        self.free_mail = FREE_MAIL[locale].split()
        self.surname_first = rng.random() < 0.2
        self.house_letters = rng.random() < 0.3

    def _name(self) -> tuple[str, str]:
        """Given names and surname, some with an initial, a second given name or a second surname."""
        rng, pools = self.rng, self.pools
        given, surname = rng.choice(pools.given), rng.choice(pools.surnames)
        draw = rng.random()
        if self.language == "pl" and given.endswith("a") and surname.endswith("ki"):
            surname = surname[:-1] + "a"
        if self.language == "es" and draw < 0.7:
            return given, f"{surname} {rng.choice(pools.surnames)}"
        if draw < 0.1:
            return f"{given} {rng.choice(pools.given)}", surname
        if draw < 0.2 and self.language == "en":
            return f"{given} {rng.choice('ABCDEFGHJKLMPRSTW')}.", surname
        if draw < 0.13:
            return given, f"{surname}-{rng.choice(pools.surnames)}"
        return given, surname

    def name(self) -> str:
        """Given name and surname."""
        return " ".join(self._name())

    def listed_name(self) -> str:
        """A name as lists have it: on some sites the surname first."""
        given, surname = self._name()
        return f"{surname}, {given}" if self.surname_first else f"{given} {surname}"

    def town(self) -> Town:
        return self.rng.choice(self.pools.towns)

    def street(self) -> str:
        """Street and house number in the order of the country."""
        rng, name = self.rng, self.rng.choice(self.pools.streets)
        house = str(rng.randint(1, 180))
        if self.locale == "en_US":
            flat = f" Apt {rng.randint(1, 40)}" if rng.random() < 0.12 else ""
            return f"{rng.randint(1, 9899)} {name} {rng.choice(STREET_KINDS['en_US'].split())}{flat}"
        if self.locale == "en_GB":
            return f"{'Flat ' + str(rng.randint(1, 30)) + ', ' if rng.random() < 0.12 else ''}{house} {name}"
        if self.house_letters and rng.random() < 0.25:
            house += rng.choice("ab")
        if self.locale == "fr_FR":
            return f"{house} {rng.choice(STREET_KINDS['fr_FR'].split())} {name}"
        if self.locale == "es_ES":
            floor = f", {rng.randint(1, 8)}º {rng.choice('ABCD')}" if rng.random() < 0.4 else ""
            return f"{rng.choice(STREET_KINDS['es_ES'].split())} {name}, {house}{floor}"
        if self.locale == "it_IT":
            return f"{rng.choice(STREET_KINDS['it_IT'].split())} {name}{', ' if rng.random() < 0.5 else ' '}{house}"
        if self.locale == "pl_PL":
            flat = f"{'/' if rng.random() < 0.7 else ' m. '}{rng.randint(1, 60)}" if rng.random() < 0.4 else ""
            return f"ul. {name} {house}{flat}"
        return f"{name} {house}"

    def place(self, town: Town) -> str:
        """Town and postcode as an address ends with them."""
        rng = self.rng
        if self.locale == "en_US":
            return f"{town.name}, {town.state} {town.postcode}{rng.randint(0, 99):02}"
        if self.locale == "en_GB":
            return f"{town.name} {town.postcode} {rng.randint(1, 9)}{rng.choice('ABDEFGHJLN')}{rng.choice('ABDEFGHJLNPQRSTUWXYZ')}"
        if self.locale == "nl_NL":
            return f"{town.postcode}{rng.randint(0, 9)} {rng.choice('ABCDEGHJKL')}{rng.choice('ABCDEGHJKLMNPRTVWXZ')} {town.name}"
        if self.locale == "pl_PL":
            return f"{town.postcode}{rng.randint(0, 99):02} {town.name}"
        code = f"{town.postcode}{rng.randint(0, 99):02}"[:5]
        return f"{code} {town.name}{f' ({town.state})' if town.state else ''}"

    def day(self, first: int, last: int) -> date:
        """A day in the years `first` to `last`."""
        return date(first, 1, 1) + timedelta(days=int(self.rng.random() * 365.2 * (last + 1 - first)))

    def numeric_date(self, day: date) -> str:
        return self.numeric.format(d=day.day, m=day.month, y=day.year)

    def written_date(self, day: date) -> str:
        return self.in_words.format(d=day.day, month=self.months[day.month - 1], y=day.year)

    def person(self, *, first: int = 1932, last: int = 2005) -> Person:
        """A private person born in the years `first` to `last`; one in 25 from abroad."""
        birth = self.day(first, last)
        if self.rng.random() < 0.04 and strangers():
            name, street, code, city, _ = self.rng.choice(strangers())
            given, _, surname = name.partition(" ")
            name = f"{given} {surname if self.rng.random() < 0.5 else self.rng.choice(self.pools.surnames)}"
            return Person(
                name, re.sub(r"\d", lambda _: str(self.rng.randint(1, 9)), street), f"{code} {city}", city, birth
            )
        town = self.town()
        return Person(self.name(), self.street(), self.place(town), town.name, birth)

    def phone(self) -> str:
        return digits(self.rng, self.rng.choice(self.phone_forms))

    def extension(self, number: str) -> str:
        """Another number of the same exchange: the last three digits drawn again."""
        first = [match.start() for match in re.finditer(r"\d", number)][-3]
        return number[:first] + re.sub(r"\d", lambda _: str(self.rng.randint(0, 9)), number[first:])

    def private_email(self, name: str) -> str:
        """An address at a free mail provider, made of a name or of a pet name."""
        rng, parts = self.rng, [ascii_slug(part) for part in name.split() if ascii_slug(part)]
        given, surname = parts[0], parts[-1]
        form = rng.randrange(6)
        if form == 0:
            local = f"{given}.{surname}"
        elif form == 1:
            local = f"{given}{surname}{rng.randint(1, 99)}"
        elif form == 2:
            local = f"{given[0]}{surname}{rng.randint(50, 99)}"
        elif form == 3:
            local = f"{surname}.{given}"
        elif form == 4:
            local = f"{given}_{rng.randint(1950, 2005)}"
        else:
            local = f"{ascii_slug(rng.choice(self.pools.streets))[:9]}{rng.randint(1, 999)}"
        return f"{local}@{rng.choice(self.free_mail)}"

    def work_email(self, name: str, domain: str) -> str:
        parts = [ascii_slug(part) for part in name.split() if ascii_slug(part)]
        return f"{parts[0]}.{parts[-1]}@{domain}" if self.rng.random() < 0.7 else f"{parts[0][0]}{parts[-1]}@{domain}"

    def firm(self) -> tuple[str, str]:
        """A firm's name and its own domain."""
        rng = self.rng
        surname = rng.choice(self.pools.surnames)
        second = rng.choice(self.pools.surnames) if rng.random() < 0.3 else rng.choice(self.pools.towns).name
        form = rng.choice(FIRM_FORMS[self.locale].replace("& ", "&_").split()).replace("_", " ")
        domain = f"{ascii_slug(surname)}-{ascii_slug(second)}.{rng.choice(TLDS[self.locale].split())}"
        return f"{surname} {second} {form}", domain

    def national_number(self, birth: date) -> str:
        """A number of the country's with right check digits."""
        return national_number(self.rng, self.locale, birth)

    def card(self) -> str:
        """A payment card's number."""
        number = digits(self.rng, self.rng.choice(("4##############", "51#############", "54#############")))
        number += luhn.calc_check_digit(number)
        return number if self.rng.random() < 0.5 else " ".join(number[at : at + 4] for at in range(0, 16, 4))

    def iban(self) -> str:
        """An account's number; the United States, which have none, get one of Germany's."""
        return iban(self.rng, {"en_US": "DE", "en_GB": "GB"}.get(self.locale, self.locale[3:]))


def national_number(rng: random.Random, locale: str, birth: date) -> str:
    """SSN, NINO, Steuer-ID, NIR, DNI, codice fiscale, BSN or PESEL, by the locale."""
    if locale == "en_US":
        return f"{rng.choice((rng.randint(1, 665), rng.randint(667, 899))):03}-{rng.randint(1, 99):02}-{rng.randint(1, 9999):04}"
    if locale == "en_GB":
        form = rng.choice((" ## ## ## ", "######"))
        return f"{rng.choice('ACEHJLMPRSWXY')}{rng.choice('ACEHJLMPRSWXYZ')}{digits(rng, form)}{rng.choice('ABCD')}"
    if locale == "de_DE":
        chosen = rng.sample("0123456789", 9)
        first = next(at for at, sign in enumerate(chosen) if sign != "0")
        chosen[0], chosen[first] = chosen[first], chosen[0]
        chosen.insert(rng.randint(1, 9), rng.choice(chosen))
        body = "".join(chosen)
        number = body + mod_11_10.calc_check_digit(body)
        return number if rng.random() < 0.5 else f"{number[:2]} {number[2:5]} {number[5:8]} {number[8:]}"
    if locale == "fr_FR":
        body = f"{rng.choice('12')}{birth.year % 100:02}{birth.month:02}{rng.randint(21, 95):02}"
        body += f"{rng.randint(1, 600):03}{rng.randint(1, 990):03}"
        return f"{body[0]} {body[1:3]} {body[3:5]} {body[5:7]} {body[7:10]} {body[10:]} {97 - int(body) % 97:02}"
    if locale == "es_ES":
        value = rng.randint(10_000_000, 79_999_999)
        return f"{value}{'' if rng.random() < 0.7 else '-'}{'TRWAGMYFPDXBNJZSQVHLCKE'[value % 23]}"
    if locale == "it_IT":
        letters = "".join(rng.choice("BCDFGLMNPRSTVZ") for _ in range(6))
        day = birth.day + rng.choice((0, 40))
        place = rng.choice(("H501", "F205", "L219", "A944", "F839"))
        body = f"{letters}{birth.year % 100:02}{'ABCDEHLMPRST'[birth.month - 1]}{day:02}{place}"
        return body + codicefiscale.calc_check_digit(body)
    if locale == "nl_NL":
        while not bsn.is_valid(number := str(rng.randint(100_000_000, 899_999_999))):
            pass
        return number
    month = birth.month + (20 if birth.year >= 2000 else 0)
    body = f"{birth.year % 100:02}{month:02}{birth.day:02}{digits(rng, '####')}"
    return body + pesel.calc_check_digit(body)


def iban(rng: random.Random, country: str) -> str:
    """An IBAN with right check digits (ISO 13616; Spain's and France's own ones as well)."""
    if country == "ES":
        body = digits(rng, "2100####") + "##" + digits(rng, "##########")
        account = body.replace("##", "")
        body = account[:8] + ccc.calc_check_digits(account[:8] + "00" + account[8:]) + account[8:]
    elif country == "FR":
        bank, branch, account = digits(rng, "30004"), digits(rng, "0####"), digits(rng, "###########")
        body = f"{bank}{branch}{account}{97 - (89 * int(bank) + 15 * int(branch) + 3 * int(account)) % 97:02}"
    else:
        form = {
            "DE": "########0#########",
            "GB": "BARC##############",
            "IT": "X02008#################",
            "NL": "INGB000#######",
        }
        body = digits(rng, form.get(country, "1020####################").replace("N", "~")).replace(" ", "N")
    check = 98 - int("".join(str(int(sign, 36)) for sign in f"{body}{country}00")) % 97
    number = f"{country}{check:02}{body}"
    return number if rng.random() < 0.4 else " ".join(number[at : at + 4] for at in range(0, len(number), 4))
