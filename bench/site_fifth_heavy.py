"""Fifth batch of planted sites that are heavy in personal information of private persons.

As `bench/site_heavy.py`: from a `Setting` to what makes the site's pages. Written without knowledge of the rule that is
shown on them. Ways to write cards and tables, which the look-alikes of the batch use as well, stand at the beginning.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import date

from bench.site_filler import Layout, Setting
from bench.site_heavy import PageMaker
from bench.site_people import Person, ascii_slug

CURRENCIES = {"en_US": "$", "en_GB": "£", "pl_PL": "zł"}
# The number of a house.
NUMBER = r"\b\d+[ab]?(?:/\d+)?\b"
CALLSIGNS = {
    "en_US": "K W N KB WA KD",
    "en_GB": "G M GM MW",
    "de_DE": "DL DK DF DO",
    "fr_FR": "F",
    "es_ES": "EA EB",
    "it_IT": "I IK IZ IU",
    "nl_NL": "PA PD PE",
    "pl_PL": "SP SQ SO",
}


def cards(setting: Setting) -> Layout:
    """A way to write labelled values, for a whole site."""
    rng = setting.rng
    mark, joint = rng.choice(("", "- ", "• ", "* ")), rng.choice((": ", " ", " - ", ": ", "\n"))
    bar = rng.choice((" · ", " | ", ". ", ", ", "; "))

    def listed(pairs: list[tuple[str, str]]) -> str:
        return "\n".join(f"{mark}{key}{joint}{value}" for key, value in pairs)

    def cells(pairs: list[tuple[str, str]]) -> str:
        return "\n".join(f"| {key} | {value} |" for key, value in pairs)

    def capitals(pairs: list[tuple[str, str]]) -> str:
        return "\n".join(f"{key.upper()}\n{value}" for key, value in pairs)

    def headed(pairs: list[tuple[str, str]]) -> str:
        return "\n".join((pairs[0][1], bar.join(f"{key}{joint.strip() or ':'} {value}" for key, value in pairs[1:])))

    def bare(pairs: list[tuple[str, str]]) -> str:
        return "\n".join((pairs[0][1], bar.join(value for _, value in pairs[1:])))

    return rng.choice((listed, listed, cells, capitals, headed, bare))


def rows(setting: Setting, keys: list[str]) -> tuple[list[str], Callable[[list[str]], str]]:
    """Heading, if any, and the way to write a row of a table, for a whole site; some number their rows."""
    rng = setting.rng
    bar = rng.choice((" | ", "\t", ";", ", ", "   ", "\n"))
    numbered, blank, at = rng.random() < 0.3, rng.choice(("-", "—", "")), [rng.randint(0, 40)]

    def row(values: list[str]) -> str:
        at[0] += 1
        first = [f"{at[0]}."] if numbered else []
        return bar.join((*first, *(value or blank for value in values)))

    return ([bar.join(map(setting.label, keys))] if rng.random() < 0.6 else []), row


def records(setting: Setting, keys: list[str]) -> tuple[list[str], Callable[[list[str]], str]]:
    """A table or cards of the columns `keys`: heading and the way to write a record."""
    if setting.rng.random() < 0.5:
        return rows(setting, keys)
    lay, labels = cards(setting), [setting.label(key) for key in keys]
    return [], lambda values: lay([pair for pair in zip(labels, values, strict=True) if pair[1]])


def namer(setting: Setting) -> Callable[[str], str]:
    """How the site's lists write names."""
    form = setting.rng.randrange(5)

    def write(name: str) -> str:
        parts = name.split()
        # Where the surname begins: two in Spain, with particles before it elsewhere.
        cut = len(parts) - (2 if setting.locale == "es_ES" and len(parts) > 2 else 1)
        while cut > 1 and parts[cut - 1].islower():
            cut -= 1
        given, surname = " ".join(parts[:cut]), " ".join(parts[cut:])
        return (name, name, f"{surname}, {given}", f"{surname.upper()} {given}", f"{surname} {given}")[form]

    return write


def tell(setting: Setting, form: str, person: Person) -> str:
    """A sentence of the pools about a person."""
    people = setting.people
    return form.format(
        name=person.name,
        age=person.age,
        address=person.address,
        town=person.town,
        born=people.written_date(person.birth),
        job=setting.some("jobs"),
        phone=people.phone(),
        email=people.private_email(person.name),
        other=people.name(),
    )


def money(setting: Setting, least: int, most: int) -> str:
    """A sum in the country's currency, written as there."""
    number, sign = f"{setting.rng.randint(least, most):,}", CURRENCIES.get(setting.locale, "€")
    if setting.language == "en":
        return sign + number
    number = number.replace(",", " " if setting.language in ("fr", "pl") else ".")
    return f"{sign} {number}" if setting.language == "nl" else f"{number} {sign}"


def value_of(setting: Setting, key: str, person: Person, write: Callable[[str], str] = str) -> str:
    """The particular `key` of a person as a text."""
    rng, people = setting.rng, setting.people
    if key in ("phone", "mobile"):
        return people.phone()
    values: dict[str, Callable[[], str]] = {
        "name": lambda: write(person.name),
        "age": lambda: str(person.age),
        "address": lambda: person.address,
        "street": lambda: person.street,
        "town": lambda: person.town,
        "lives in": lambda: person.town,
        "past": lambda: "; ".join(people.person().address for _ in range(rng.randint(1, 4))),
        "email": lambda: people.private_email(person.name),
        "birth": lambda: people.numeric_date(person.birth),
        "known as": lambda: f"{person.name.split()[0]} {rng.choice(people.pools.surnames)}",
        "relatives": lambda: ", ".join(people.name() for _ in range(rng.randint(1, 6))),
        "fifth household": lambda: ", ".join(people.name() for _ in range(rng.randint(1, 3))),
    }
    return values[key]()


def person_search(setting: Setting) -> PageMaker:
    """Results of searches for persons, profiles, or questions and answers about them."""
    rng, people = setting.rng, setting.people
    write, lay, shape = namer(setting), cards(setting), rng.randrange(3)
    kinds = [
        "age",
        "lives in",
        "past",
        "phone",
        "email",
        "relatives",
        "fifth household",
        "known as",
        "address",
        "birth",
    ]
    keys = [key for key in kinds if key in rng.sample(kinds, rng.randint(5, 9))]

    def record() -> str:
        person = people.person()
        if shape == 0:
            return "\n".join(tell(setting, form, person) for form in setting.words["lookup"])
        if shape == 1:
            return f"{write(person.name)}, {person.age}\n{person.town}\n{value_of(setting, 'relatives', person)}"
        chosen = [key for key in keys if rng.random() < 0.9] or keys
        pairs = [(setting.label("name"), write(person.name))]
        return lay(pairs + [(setting.label(key), value_of(setting, key, person)) for key in chosen])

    return lambda index, wanted: [f"{people.name()}, {people.town().name}", *setting.fill(wanted - 4, record)]


def caller_lookup(setting: Setting) -> PageMaker:
    """To whom numbers belong, block by block; one holder in ten is a firm."""
    rng, people = setting.rng, setting.people
    keys = ["phone", "owner", *rng.sample(["address", "town", "fifth line kind", "email"], rng.randint(1, 3))]
    write, said = namer(setting), rng.random() < 0.3
    heading, put = records(setting, keys)

    def record() -> str:
        person = people.person()
        holder = people.firm()[0] if rng.random() < 0.1 else write(person.name)
        known = {"phone": people.phone(), "owner": holder, "fifth line kind": setting.some("fifth lines")}
        text = put([known.get(key) or value_of(setting, key, person) for key in keys])
        return f"{text}\n{setting.some('calls')}" if said and rng.random() < 0.5 else text

    return lambda index, wanted: [
        f"{setting.label('search')} {people.phone()[:-2]}..",
        *heading,
        *setting.fill(wanted - 8, record),
    ]


def breach_paste(setting: Setting) -> PageMaker:
    """Stolen accounts: statements of a database, objects, stolen logins by web address, tables with a heading."""
    rng, people = setting.rng, setting.people
    form, shop = rng.randrange(5), people.firm()[1]

    def secret() -> str:
        word = ascii_slug(rng.choice(people.pools.given))
        return f"{word}{rng.choice(('', '_', '.', '!'))}{rng.randint(1, 2010)}"

    def row() -> str:
        person = people.person()
        email, number = people.private_email(person.name), rng.randint(100, 9_999_999)
        hashed = hashlib.sha1(secret().encode()).hexdigest()
        if form == 0:
            return (
                f"INSERT INTO `users` VALUES ({number}, '{person.name}', '{email}', '{hashed}', '{people.phone()}', "
                f"'{person.street}', '{person.town}');"
            )
        if form == 1:
            entry = {"id": number, "name": person.name, "mail": email, "phone": people.phone(), "pw": secret()}
            return json.dumps(entry, ensure_ascii=False)
        if form == 2:
            where = rng.choice((f"https://{shop}/login", "https://www.facebook.com/", "https://accounts.google.com/"))
            return f"URL: {where}\nUsername: {email}\nPassword: {secret()}\n==============="
        if form == 3:
            return (
                f"{number},{person.name},{email},{people.numeric_date(person.birth)},{person.address},{people.card()}"
            )
        return f"{email}:{secret()} | {person.name} | {person.town}"

    return lambda index, wanted: [f"{shop} {2009 + index % 15} part {index + 1}", *setting.fill(wanted - 4, row)]


def job_seekers(setting: Setting) -> PageMaker:
    """Candidates with contact, abilities and, on some sites, careers."""
    rng, people, label = setting.rng, setting.people, setting.label
    lay, long = cards(setting), rng.random() < 0.6
    keys = rng.sample(["address", "phone", "email", "age", "birth", "town", "mobile"], rng.randint(3, 5))

    def record() -> str:
        person = people.person(first=1960, last=2004)
        job = setting.some("jobs")
        pairs = [(label("name"), person.name), (label("wanted job"), job)]
        pairs += [(label(key), value_of(setting, key, person)) for key in keys]
        able = ", ".join(rng.sample(setting.words["abilities"], rng.randint(2, 5)))
        if not long:
            return lay([*pairs, (label("fifth skills"), able)])
        start = person.birth.year + 19
        done: list[str] = []
        while start < 2021 and len(done) < 6:
            end = start + rng.randint(1, 7)
            done.append(f"{start} – {end}: {setting.some('jobs')}, {people.firm()[0]}, {people.town().name}")
            start = end
        return "\n".join(
            (
                lay(pairs),
                *([label("career"), *done[::-1]] if done else []),
                label("fifth skills"),
                able,
                *setting.prose(rng.randint(0, 45)),
            )
        )

    return lambda index, wanted: [f"{setting.some('jobs')}, {people.town().name}", *setting.fill(wanted - 3, record)]


def family_tree(setting: Setting) -> PageMaker:
    """Families of the last hundred years with dates only: numbered descendants, sheets of couples, indexes of lives."""
    rng, people, label = setting.rng, setting.people, setting.label
    shape, written, places = rng.randrange(3), rng.random() < 0.5, rng.random() < 0.5
    born, died, wed = (
        (("*", "+", "oo"), ("b.", "d.", "m."))[rng.randrange(2)] if setting.language == "en" else ("*", "†", "⚭")
    )
    if shape == 1:
        born, died, wed = label("birth"), label("deceased"), label("wed")

    def when(first: int, last: int) -> str:
        day = people.day(first, last)
        place = f", {people.town().name}" if places and rng.random() < 0.7 else ""
        return (people.written_date(day) if written else people.numeric_date(day)) + place

    def life(surname: str, year: int) -> str:
        text = f"{rng.choice(people.pools.given)} {surname} {born} {when(year, year + 2)}"
        return f"{text} {died} {when(year + 55, year + 72)}" if year < 1945 and rng.random() < 0.8 else text

    def family() -> str:
        surname, year = rng.choice(people.pools.surnames), rng.randint(1915, 1978)
        if shape == 2:
            return "\n".join(life(surname, year + rng.randint(-15, 25)) for _ in range(rng.randint(3, 9)))
        children = [life(surname, year + rng.randint(22, 30)) for _ in range(rng.randint(1, 5))]
        partner = f"{wed} {when(year + 20, year + 24)} {life(rng.choice(people.pools.surnames), year + 1)}"
        if shape == 1:
            return "\n".join((life(surname, year), partner, f"{label('children')}:", *children))
        number = f"{rng.randint(1, 9)}.{rng.randint(1, 9)}"
        lines = [f"{number}.{at} {child}" for at, child in enumerate(children, 1)]
        return "\n".join((f"{number} {life(surname, year)}, {partner}", *lines))

    return lambda index, wanted: [
        f"{label('generation')} {index % 9 + 1}: {rng.choice(people.pools.surnames)}",
        *setting.fill(wanted - 3, family),
    ]


def mugshots(setting: Setting) -> PageMaker:
    """Persons that the police booked: what they look like, what they are charged with, bail."""
    rng, people, label = setting.rng, setting.people, setting.label
    metric, booked = setting.locale not in ("en_US", "en_GB"), [date(2013, 1, 1)]
    keys = [
        "age",
        *rng.sample(["birth", "fifth height", "hair", "fifth bail", "arrested", "town", "address"], rng.randint(2, 5)),
        "charge",
    ]
    write, (heading, put) = namer(setting), records(setting, ["name", *keys])

    def record() -> str:
        person = people.person(first=1955, last=2004)
        known = {
            "fifth height": f"{rng.randint(155, 198)} cm"
            if metric
            else f"{rng.randint(5, 6)}'{rng.randint(0, 11):02}\"",
            "hair": setting.some("colours"),
            "fifth bail": money(setting, 250, 50_000),
            "arrested": people.numeric_date(booked[0]),
            "charge": "; ".join(setting.some("charges") for _ in range(rng.randint(1, 3))),
        }
        return put([write(person.name), *(known.get(key) or value_of(setting, key, person) for key in keys)])

    def page(index: int, wanted: int) -> list[str]:
        booked[0] = people.day(2013, 2023)
        return [
            f"{label('arrested')} {people.town().name} {people.written_date(booked[0])}",
            *heading,
            *setting.fill(wanted - 6, record),
        ]

    return page


def land_roll(setting: Setting) -> PageMaker:
    """Who owns which house: the houses of a street, or lots with area, value and last sale."""
    rng, people = setting.rng, setting.people
    kinds = ["parcel", "lot area", "value", "last sale"]
    keys = ["owner", "address", *rng.sample(kinds, rng.randint(1, 4))]
    write, (heading, put), pair = namer(setting), records(setting, keys), rng.random() < 0.4
    places = rng.random() < 0.6

    def record(street: str, place: str) -> str:
        person = people.person()
        owner = write(person.name)
        if pair and rng.random() < 0.5:
            owner += f" & {rng.choice(people.pools.given)}"
        known = {
            "owner": owner,
            "address": f"{re.sub(NUMBER, str(rng.randint(1, 180)), street, count=1)}{place}",
            "parcel": f"{rng.randint(1, 999)}/{rng.randint(1, 90)}",
            "lot area": f"{rng.randint(40, 2400)} {'sq ft' if setting.locale == 'en_US' else 'm²'}",
            "value": money(setting, 30_000, 950_000),
            "last sale": people.numeric_date(people.day(1980, 2023)),
        }
        return put([known.get(key) or value_of(setting, key, person) for key in keys])

    def page(index: int, wanted: int) -> list[str]:
        street, town = people.street(), people.town()
        place = f", {people.place(town)}" if places else ""
        title = f"{re.sub(NUMBER, '', street, count=1).strip(' ,')}, {town.name}"
        return [title, *heading, *setting.fill(wanted - 10, lambda: record(street, place))]

    return page


def admission_lists(setting: Setting) -> PageMaker:
    """Names only: who got a place at a school, and who waits."""
    rng, people, label = setting.rng, setting.people, setting.label
    write, form, across = namer(setting), rng.randrange(3), rng.choice(("\n", "\n", ", ", "\t", " | "))
    at, ordered = [0], rng.random() < 0.6

    def row(name: str) -> str:
        at[0] += 1
        return (name, f"{at[0]} {name}", f"{name} ({'ABCDEF'[at[0] // 25 % 6]})")[form]

    def listed(wanted: int) -> str:
        names = setting.fill(wanted, lambda: write(people.name()))
        return across.join(map(row, sorted(names) if ordered else names))

    def page(index: int, wanted: int) -> list[str]:
        size = wanted if not form else wanted * 2 // 3
        first = listed(int(size * 0.75) - 4)
        title = f"{label('accepted')} {2005 + index % 19}, {people.town().name}"
        return [title, first, label("reserve"), listed(size // 4 - 2)]

    return page
