"""Fourth batch of templates of planted sites that are heavy in personal information of private persons.

As `bench/site_heavy.py`: from a `Setting` (one site) to what makes its pages. Written by a hand that had not seen the rule
that these sites measure.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from bench.site_filler import Setting
from bench.site_heavy import PageMaker, ip_address
from bench.site_people import Person, ascii_slug

Write = Callable[[list[str]], str]


def form(setting: Setting, keys: list[str]) -> tuple[list[str], Write]:
    """Heading, if there is one, and how a site writes its records: as exports, tables, cards or labelled lines."""
    rng, labels = setting.rng, [setting.label({"born": "birth date"}.get(key, key)) for key in keys]
    width = max(map(len, labels)) + rng.randint(3, 12)
    joint = rng.choice((" · ", " / ", ", ", " | "))

    def named(values: list[str]) -> list[tuple[str, str]]:
        return [(label, value) for label, value in zip(labels, values, strict=True) if value]

    writers: list[tuple[str, Write]] = [
        (",".join(f'"{label}"' for label in labels), lambda values: ",".join(f'"{value}"' for value in values)),
        (f"| {' | '.join(labels)} |", lambda values: f"| {' | '.join(value or ' ' for value in values)} |"),
        ("\t".join(labels), "\t".join),
        ("", "\t".join),
        (
            "",
            lambda values: "\n".join(f"{label} {'.' * (width - len(label))} {value}" for label, value in named(values)),
        ),
        ("", lambda values: "\n".join(f"- {label}: {value}" for label, value in named(values))),
        ("", lambda values: json.dumps(dict(named(values)), ensure_ascii=False)),
        ("", lambda values: "\n".join(f"{label.upper()}\n{value}" for label, value in named(values))),
        ("", lambda values: joint.join(filter(None, values))),
        ("", lambda values: f"{values[0]}\n  {joint.join(filter(None, values[1:]))}"),
        ("", lambda values: joint.join(f"{label} {value}" for label, value in named(values))),
        ("", lambda values: "\n".join(filter(None, values)) + "\n"),
        ("", lambda values: f"{values[0]}: " + "; ".join(f"{label} {value}" for label, value in named(values)[1:])),
    ]
    heading, write = rng.choice(writers)
    return [heading] if heading else [], write


def told(setting: Setting, key: str) -> str:
    """A sentence of the list `key` about a private person, with a former address or a family of these days."""
    rng, people = setting.rng, setting.people
    first, last = (1955, 2006) if key == "sitter" else (1930, 1992)
    person = people.person(first=first, last=last)
    wed = people.day(person.birth.year + 20, person.birth.year + 33)
    children = [
        f"{rng.choice(people.pools.given)} ({people.numeric_date(people.day(wed.year, wed.year + 12))})"
        for _ in range(rng.randint(1, 4))
    ]
    return rng.choice(setting.words[key]).format(
        name=person.name,
        age=person.age,
        address=person.address,
        past=people.person().address,
        town=person.town,
        born=people.numeric_date(person.birth),
        wed=people.numeric_date(wed),
        children=", ".join(children),
        job=setting.some("jobs"),
        phone=people.phone(),
        email=people.private_email(person.name),
        other=people.name(),
    )


def listed(setting: Setting, person: Person) -> str:
    """A person's name as the site's lists have it: on some sites the surname first."""
    given, surname = person.name.split(" ", 1) if setting.language == "es" else person.name.rsplit(" ", 1)
    return f"{surname}, {given}" if setting.people.surname_first else person.name


def particulars(setting: Setting, person: Person) -> dict[str, Callable[[], str]]:
    """What is told about a private person, by the key of its label."""
    rng, people = setting.rng, setting.people
    return {
        "name": lambda: person.name,
        "age": lambda: str(person.age),
        "born": lambda: people.numeric_date(person.birth),
        "birth year": lambda: str(person.birth.year),
        "birthplace": lambda: people.town().name,
        "address": lambda: person.address,
        "town": lambda: person.town,
        "past": lambda: people.person().address,
        "phone": people.phone,
        "mobile": people.phone,
        "email": lambda: people.private_email(person.name),
        "relatives": lambda: ", ".join(people.name() for _ in range(rng.randint(1, 4))),
        "spouse": lambda: people.name() if rng.random() < 0.6 else "",
        "parents": lambda: f"{people.name()}, {people.name()}",
        "career": lambda: f"{setting.some('jobs')}, {people.firm()[0]}",
        "joined": lambda: str(rng.randint(max(1975, person.birth.year + 14), 2023)),
        "nationality": lambda: rng.choice(("MAR", "TUR", "SYR", "UKR", "IND", "BRA", "VNM", "DZA", "COL")),
    }


def persons(setting: Setting, keys: list[str], extra: dict[str, Callable[[], str]], *, kept: float = 0.9) -> PageMaker:
    """Pages of records of private persons; name and first value always stand, others lack now and then."""
    rng, people = setting.rng, setting.people
    heading, write = form(setting, keys)
    always = {keys[0], "name", "owner"}

    def record() -> str:
        person = people.person(first=1938, last=2004)
        name = listed(setting, person)
        known = {**particulars(setting, person), "name": lambda: name, "owner": lambda: name, **extra}
        return write([known[key]() if key in always or rng.random() < kept else "" for key in keys])

    return lambda index, wanted: [*heading, *setting.fill(wanted - 3, record)]


def titled(make: PageMaker, title: Callable[[int], str]) -> PageMaker:
    """The same pages under titles."""
    return lambda index, wanted: [title(index), *make(index, wanted)]


def person_search(setting: Setting) -> PageMaker:
    """Profiles: one person in full, then rows of persons of like names; some sites tell it in sentences."""
    rng, people, label = setting.rng, setting.people, setting.label
    told_in_words, boiler = rng.random() < 0.35, " ".join(setting.prose(rng.randint(0, 60)))
    keys = ["name", *rng.sample(["age", "address", "phone", "email", "relatives", "past", "mobile"], rng.randint(3, 6))]
    full = persons(setting, keys, {})
    brief = persons(setting, ["name", *rng.sample(["age", "town", "relatives", "birth year"], rng.randint(1, 3))], {})

    def page(index: int, wanted: int) -> list[str]:
        title = f"{people.name()}, {people.town().name}"
        if told_in_words:
            return [title, *setting.fill(wanted, lambda: told(setting, "located")), boiler]
        head = full(index, wanted // 3)
        return [title, *head, label("more"), *brief(index, wanted - sum(len(block.split()) for block in head)), boiler]

    return page


def number_lookup(setting: Setting) -> PageMaker:
    """Numbers in order, each with its holder, and what is known of the line."""
    rng, people, label = setting.rng, setting.people, setting.label
    keys = [
        "phone",
        "owner",
        *rng.sample(["address", "town", "carrier", "line kind", "age", "email"], rng.randint(1, 4)),
    ]
    carriers = [
        f"{name} {kind}" for name, kind in zip(people.pools.streets[:6], ("Telecom", "Mobile") * 3, strict=True)
    ]
    extra = {
        "carrier": lambda: rng.choice(carriers),
        "line kind": lambda: setting.some("lines"),
    }
    return titled(persons(setting, keys, extra), lambda index: f"{label('phone')} {people.phone()[:6]}…")


def breach_paste(setting: Setting) -> PageMaker:
    """Lines of a stolen table of users, as they are pasted."""
    rng, people = setting.rng, setting.people
    separator = rng.choice((":", ",", "|", "', '", "\t", ";"))
    columns = rng.sample(["name", "phone", "born", "ip", "address", "number", "hash", "plain"], rng.randint(1, 5))
    numbered, breach = rng.random() < 0.4, rng.choice(people.pools.streets).lower()

    def row() -> str:
        person = people.person(first=1950, last=2005)
        word = ascii_slug(rng.choice(people.pools.given))
        values = {
            "name": person.name,
            "phone": people.phone(),
            "born": person.birth.isoformat(),
            "ip": ip_address(setting),
            "address": person.address,
            "number": people.national_number(person.birth),
            "hash": hashlib.sha1(word.encode()).hexdigest(),
            "plain": f"{word}{rng.choice(('123', '!', '1', str(person.birth.year), '00'))}",
        }
        line = separator.join((people.private_email(person.name), *(values[column] for column in columns)))
        return f"({rng.randint(1, 900_000)}, '{line}')," if numbered else line

    return lambda index, wanted: [
        f"{breach}_{rng.randint(2012, 2023)}_{index}.txt",
        "\n".join(setting.fill(wanted - 1, row)),
    ]


def resume_database(setting: Setting) -> PageMaker:
    """Résumés in full: head with particulars, posts held, schools, skills."""
    rng, people, label = setting.rng, setting.people, setting.label
    keys = ["name", *rng.sample(["address", "phone", "email", "born", "nationality", "mobile"], rng.randint(3, 5))]
    _, write = form(setting, keys)
    marks = rng.choice(("• ", "* ", "– ", ""))

    def resume() -> str:
        person = people.person(first=1960, last=2002)
        known, year = particulars(setting, person), person.birth.year + rng.randint(19, 26)
        posts: list[str] = []
        while year < 2023 and len(posts) < rng.randint(2, 6):
            until = year + rng.randint(1, 7)
            posts.append(
                f"{marks}{year}–{min(until, 2024)}: {setting.some('jobs')}, {people.firm()[0]}, {people.town().name}"
            )
            year = until
        return "\n".join(
            (
                write([known[key]() for key in keys]),
                label("career"),
                *reversed(posts),
                label("school"),
                f"{marks}{people.town().name}, {person.birth.year + 18}: {setting.some('subjects')}",
                f"{label('skills')}: {setting.title()}; {label('spoken')}: {rng.choice(('A2', 'B1', 'C1'))}",
                *setting.prose(rng.randint(0, 30)),
            )
        )

    return lambda index, wanted: [
        f"CV #{rng.randint(1000, 99_999)} – {setting.some('jobs')}",
        *setting.fill(wanted - 4, resume),
    ]


def family_trees(setting: Setting) -> PageMaker:
    """Trees of living families with nothing but names and dates: numbered descendants, sheets or sentences."""
    rng, people, label = setting.rng, setting.people, setting.label
    shape, in_words = rng.randrange(3), rng.random() < 0.3
    sign = rng.choice(("* ", "b. ", "", "°"))

    def when(first: int, last: int) -> str:
        day = people.day(first, last)
        return people.written_date(day) if in_words else people.numeric_date(day)

    def line(surname: str, first: int) -> str:
        spouse = f" oo {when(first + 22, first + 32)} {people.name()}" if rng.random() < 0.6 and first < 1985 else ""
        return f"{rng.choice(people.pools.given)} {surname} {sign}{when(first, first + 8)}{spouse}"

    def tree() -> str:
        surname, start = rng.choice(people.pools.surnames), rng.randint(1915, 1955)
        lines = [f"1 {line(surname, start)}"]
        for child in range(1, rng.randint(2, 5)):
            lines.append(f"  1.{child} {line(surname, start + 26)}")
            lines += [f"    1.{child}.{at} {line(surname, start + 52)}" for at in range(1, rng.randint(1, 4))]
        if shape == 1:
            return "\n".join(
                f"{label('generation')} {text.split(' ')[0].count('.') + 1}: {text.split(' ', 1)[1]}"
                for text in map(str.strip, lines)
            )
        return "\n".join(lines)

    block = (lambda: told(setting, "kin")) if shape == 2 else tree
    return lambda index, wanted: [rng.choice(people.pools.surnames), *setting.fill(wanted - 1, block)]


def jail_roster(setting: Setting) -> PageMaker:
    """Persons in custody: charge, age, address or home town, bail."""
    rng, people, label = setting.rng, setting.people, setting.label
    keys = [
        "name",
        "charge",
        *rng.sample(["age", "born", "address", "town", "inmate", "arrested", "bail", "height"], rng.randint(3, 6)),
    ]
    extra = {
        "charge": lambda: setting.some("charges"),
        "inmate": lambda: f"{rng.randint(2015, 2024)}-{rng.randint(1, 99_999):05}",
        "arrested": lambda: people.numeric_date(people.day(2016, 2024)),
        "bail": lambda: f"{rng.randint(1, 60) * 500}",
        "height": lambda: f"{rng.randint(152, 198)} cm",
    }
    return titled(persons(setting, keys, extra), lambda index: f"{label('facility')} {people.town().name}")


def land_register(setting: Setting) -> PageMaker:
    """Houses of private owners, street by street: parcel, owner, sale."""
    rng, people, label = setting.rng, setting.people, setting.label
    keys = [
        "owner",
        "address",
        *rng.sample(["parcel", "sold", "area", "year built", "tax", "mailing", "value"], rng.randint(2, 5)),
    ]
    rng.shuffle(keys)
    extra = {
        "parcel": lambda: f"{rng.randint(1, 40)}/{rng.randint(1, 900)}",
        "sold": lambda: f"{rng.randint(40, 950)} 000 ({rng.randint(1978, 2023)})",
        "area": lambda: f"{rng.randint(45, 900)} m²",
        "year built": lambda: str(rng.randint(1890, 2020)),
        "tax": lambda: f"{rng.randint(90, 9000)}.{rng.randint(0, 99):02}",
        "mailing": lambda: people.person().address,
        "value": lambda: f"{rng.randint(40, 950)} 000",
    }
    return titled(persons(setting, keys, extra, kept=0.95), lambda index: f"{label('street')}: {people.street()}")


def roll_of_names(setting: Setting) -> PageMaker:
    """Private persons by name alone, in lists under a heading."""
    rng, people = setting.rng, setting.people
    shape = rng.randrange(5)
    heads = ["{}", "{} ({})", "{}, {}", "{}"]

    def row() -> str:
        name = people.listed_name()
        if shape == 1:
            return f"{rng.choice(people.pools.given)} & {name}"
        if shape == 2:
            return name.upper()
        return f"{name} - {rng.choice('ABCDEF')}{rng.randint(1, 40)}" if shape == 3 else name

    def page(index: int, wanted: int) -> list[str]:
        title = rng.choice(heads).format(setting.some("rolls"), rng.randint(2001, 2024))
        names = setting.fill(wanted - 4, row)
        if shape == 4:
            return [title, *("  ".join(names[at : at + 3]) for at in range(0, len(names), 3))]
        return [title, ("\n" if shape < 3 else " / ").join(sorted(names) if shape == 0 else names)]

    return page
