"""Third batch of templates of planted sites that are heavy in personal information of private persons.

As `bench/site_heavy.py`: from a `Setting` to what makes the site's pages. Registers are written as files and programs write
them (`export`): rows with several separators, JSON, trees, cards, lines of a log; other sites tell the same in sentences, or
have nothing but names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date
from functools import partial

from bench.site_filler import Setting
from bench.site_heavy import PageMaker, ip_address
from bench.site_more_heavy import ALPHABET, directory, money, namer, values_of
from bench.site_people import Person, ascii_slug, digits

Write = Callable[[list[str]], str]


def export(setting: Setting, columns: list[str]) -> tuple[list[str], Write]:
    """Heading, if there is one, and how records are written, as files and programs have them."""
    rng = setting.rng
    labels = [setting.label(column) for column in columns]
    keys = [ascii_slug(label) or "x" for label in labels]
    separator, quote = rng.choice((",", ";", "|", "\t", "~", "^")), rng.choice(("", "", '"', "'"))
    day, indent = setting.people.day(2012, 2023).isoformat(), rng.choice(("", "  ", "- "))

    def filled(values: list[str]) -> list[tuple[str, str]]:
        return [pair for pair in zip(labels, values, strict=True) if pair[1]]

    def rows(values: list[str]) -> str:
        return separator.join(f"{quote}{value}{quote}" for value in values)

    def record(values: list[str]) -> str:
        return json.dumps(dict(zip(keys, values, strict=True)), ensure_ascii=False)

    def cells(values: list[str]) -> str:
        return f"| {' | '.join(values)} |"

    def tree(values: list[str]) -> str:
        (_, root), *rest = filled(values)
        branches = [f"├── {label}: {value}" for label, value in rest]
        return "\n".join((root, *branches[:-1], *(branch.replace("├", "└", 1) for branch in branches[-1:])))

    def card(values: list[str]) -> str:
        (_, first), *rest = filled(values)
        return "\n".join((first, *(f"• {value} ({label})" for label, value in rest)))

    def listed(values: list[str]) -> str:
        return "\n".join(
            f"{indent if number else '- '}{key}: {value}" for number, (key, value) in enumerate(filled(values))
        )

    def run_on(values: list[str]) -> str:
        return f"{'. '.join(f'{label} {value}' for label, value in filled(values))}."

    def logged(values: list[str]) -> str:
        pairs = " ".join(f'{key}="{value}"' for key, value in zip(keys, values, strict=True))
        return f"{day} {rng.randint(10, 23)}:{rng.randint(10, 59)}:{rng.randint(10, 59)} INFO {pairs}"

    def padded(values: list[str]) -> str:
        return "".join(f"{value.ljust(24)}  " for value in values).rstrip()

    heading = [separator.join(keys)] if rng.random() < 0.7 else []
    table = [cells(labels), cells(["---"] * len(labels))]
    forms: list[tuple[list[str], Write]] = [(heading, rows), (heading, rows), ([], record), (table, cells), ([], tree)]
    forms += [([], card), ([], listed), ([], run_on), ([], logged), ([padded(labels)], padded)]
    return rng.choice(forms)


register = partial(directory, drawn=export)


def tell(setting: Setting, key: str, person: Person, **more: str) -> str:
    """A sentence of the list `key` about a person; `more` fills places of its own, such as a diagnosis."""
    rng, people = setting.rng, setting.people
    return rng.choice(setting.words[key]).format(
        name=person.name,
        age=person.age,
        address=person.address,
        town=person.town,
        born=people.written_date(person.birth) if rng.random() < 0.6 else people.numeric_date(person.birth),
        job=setting.some("jobs"),
        phone=people.phone(),
        email=people.private_email(person.name),
        other=people.name(),
        second=people.name(),
        past=people.person().address,
        **more,
    )


def posted(
    setting: Setting, key: str, *, first: int = 1940, last: int = 2003, more: Callable[[], dict[str, str]] = dict
) -> Callable[[], str]:
    """What makes posts of one sentence of the list `key`, with a head and running text as the site has it."""
    rng, people = setting.rng, setting.people
    head, told = rng.randrange(4), rng.choice((0, 0, 12, 25))

    def post() -> str:
        person = people.person(first=first, last=last)
        day = people.numeric_date(people.day(2008, 2023))
        heads = ("", f"{person.name}, {day}", f"#{rng.randint(10, 99_999)} ({day})", f"{person.town} · {day}")
        text = tell(setting, key, person, **more())
        return "\n".join(filter(None, (heads[head], text, *setting.prose(rng.randint(0, told)))))

    return post


def background_check(setting: Setting) -> PageMaker:
    """Persons told of in sentences: age, address, others at the address; on some sites a tree of relatives below."""
    rng, people, label = setting.rng, setting.people, setting.label
    relatives = rng.random() < 0.5

    def report() -> str:
        text = tell(setting, "background", people.person())
        if not relatives:
            return text
        kin = [f"  └ {people.name()} ({rng.randint(18, 92)})" for _ in range(rng.randint(1, 4))]
        return "\n".join((text, label("relatives"), *kin))

    return lambda index, wanted: [f"{label('search')} {people.name()}", *setting.fill(wanted - 3, report)]


def who_called(setting: Setting) -> PageMaker:
    """A page for a number, or for numbers of a block: what callers' victims say, who names the owners."""
    people, label = setting.people, setting.label
    post = posted(setting, "ringing")
    return lambda index, wanted: [f"{label('caller')} {people.phone()}", *setting.fill(wanted - 4, post)]


def _password(setting: Setting) -> str:
    rng, pools = setting.rng, setting.people.pools
    word = ascii_slug(rng.choice(rng.choice((pools.given, pools.surnames, pools.streets))))[:10]
    return rng.choice(
        (f"{word}{rng.randint(1, 2010)}", f"{word.title()}{rng.choice('!?#*')}{rng.randint(0, 99)}", word + word[:3])
    )


def combo_list(setting: Setting) -> PageMaker:
    """Stolen log-ins: address and password, with the site they open or with what a thief's program wrote."""
    rng, people = setting.rng, setting.people
    form, separator = rng.randrange(4), rng.choice((":", ";", "|", " "))
    sites = [people.firm()[1] for _ in range(12)]

    def row() -> str:
        email, password = people.private_email(people.name()), _password(setting)
        if form == 0:
            return f"{email}{separator}{password}"
        if form == 1:
            return f"https://{rng.choice(sites)}/login{separator}{email}{separator}{password}"
        if form == 2:
            return f"URL: https://{rng.choice(sites)}\nUsername: {email}\nPassword: {password}\n==============="
        return f"[+] {people.day(2019, 2023).isoformat()} hit {email}{separator}{password} | ip {ip_address(setting)}"

    return lambda index, wanted: [f"combo {setting.locale[3:]} {index + 1}.txt", *setting.fill(wanted - 3, row)]


def sql_dump(setting: Setting) -> PageMaker:
    """The table of users of a shop or a forum, as statements that insert rows."""
    rng, people = setting.rng, setting.people
    table = rng.choice(("users", "wp_users", "customers", "phpbb_users", "members"))
    values: dict[str, Callable[[Person], str]] = {
        "username": lambda person: f"{ascii_slug(person.name.split()[0])}{rng.randint(1, 99)}",
        "full_name": lambda person: person.name,
        "pass_md5": lambda person: hashlib.md5(_password(setting).encode()).hexdigest(),
        "last_ip": lambda person: ip_address(setting),
        "birthday": lambda person: person.birth.isoformat(),
        "phone": lambda person: people.phone(),
        "address": lambda person: person.address.replace("'", "''"),
    }
    columns = rng.sample(sorted(values), rng.randint(3, 6))
    names, packed = ", ".join(f"`{column}`" for column in ("id", "email", *columns)), rng.random() < 0.5

    def row() -> str:
        person = people.person(first=1945, last=2006)
        shown = [people.private_email(person.name), *(values[column](person) for column in columns)]
        text = f"({rng.randint(1, 999_999)}, {', '.join(repr(value) for value in shown)})"
        return f"{text}," if packed else f"INSERT INTO `{table}` ({names}) VALUES {text};"

    head = f"INSERT INTO `{table}` ({names}) VALUES" if packed else f"-- Dumping data for table `{table}`"
    return lambda index, wanted: [f"{table}_{index + 1}.sql", head, *setting.fill(wanted - 6, row)]


def customer_export(setting: Setting) -> PageMaker:
    """A shop's customers as its program exports them, left open to everyone."""
    rng, label = setting.rng, setting.label
    values = values_of(setting) | {
        "customer": lambda person: str(rng.randint(10_000, 999_999)),
        "order": lambda person: f"{rng.randint(10**6, 10**7)}",
        "card": lambda person: setting.people.card(),
    }
    return register(
        setting,
        values,
        ("customer", "name", "address", "email"),
        ("phone", "order", "card", "born"),
        title=lambda index: f"{label('customer')} export {index + 1}",
    )


def job_seekers(setting: Setting) -> PageMaker:
    """People who look for work and introduce themselves with date of birth, address and telephone number."""
    people, label, post = setting.people, setting.label, posted(setting, "seeker", first=1960, last=2004)
    return lambda index, wanted: [
        f"{setting.some('jobs')}, {people.town().name}",
        label("career"),
        *setting.fill(wanted - 5, post),
    ]


def family_sheets(setting: Setting) -> PageMaker:
    """Families of the living with dates only: indented lines of descent, or the records of a genealogists' file."""
    rng, people, label = setting.rng, setting.people, setting.label
    form, partners = rng.randrange(3), rng.random() < 0.6
    months = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
    number = 0

    def born(first: int) -> date:
        return people.day(first, first + 8)

    def entry(depth: int, first: int, surname: str) -> list[str]:
        nonlocal number
        number += 1
        given, birth = rng.choice(people.pools.given), born(first)
        if form == 2:
            day = f"{birth.day} {months[birth.month - 1]} {birth.year}"
            place = [f"2 PLAC {people.town().name}"] if partners else []
            return [f"0 @I{number}@ INDI", f"1 NAME {given} /{surname}/", "1 BIRT", f"2 DATE {day}", *place]
        line = f"{given} {surname} ({label('born')} {people.numeric_date(birth)})"
        if partners and rng.random() < 0.6:
            line += f" + {people.name()} ({people.numeric_date(born(first))})"
        return [f"{'  ' * depth if form == 0 else '.' * depth}{depth + 1} {line}"]

    def family() -> str:
        surname, start = rng.choice(people.pools.surnames), rng.randint(1935, 1962)
        lines = entry(0, start, surname)
        for _ in range(rng.randint(1, 4)):
            lines += entry(1, start + 24, surname)
            for _ in range(rng.randint(0, 2)):
                lines += entry(2, start + 50 if start < 1955 else 2008, surname)
        return "\n".join(lines)

    return lambda index, wanted: [
        f"{rng.choice(people.pools.surnames)} - {label('children')}",
        *setting.fill(wanted - 3, family),
    ]


def mugshots(setting: Setting) -> PageMaker:
    """Cards under photographs of the arrested: age, height, weight, charges, bail."""
    rng, people, label = setting.rng, setting.people, setting.label
    values = values_of(setting) | {
        "height": lambda person: (
            f"5' {rng.randint(0, 11)}\"" if setting.locale == "en_US" else f"{rng.randint(155, 198)} cm"
        ),
        "weight": lambda person: f"{rng.randint(50, 120)} kg",
        "charge": lambda person: " / ".join(setting.some("charges") for _ in range(rng.randint(1, 3))),
        "bail": lambda person: money(setting, 2000),
        "arrested": lambda person: people.numeric_date(people.day(2016, 2023)),
    }
    return register(
        setting,
        values,
        ("name", "born", "charge"),
        ("height", "weight", "bail", "arrested", "street", "town"),
        title=lambda index: f"{label('arrested')} {people.town().name} {people.numeric_date(people.day(2016, 2023))}",
        last=2004,
    )


def tax_roll(setting: Setting) -> PageMaker:
    """Owners of land with account, mailing address and what they owe."""
    rng, people, label = setting.rng, setting.people, setting.label
    values = values_of(setting) | {
        "parcel": lambda person: digits(rng, "###-##-####"),
        "mailing": lambda person: person.address,
        "tax": lambda person: money(setting, 900),
        "value": lambda person: money(setting, 90_000),
    }
    values["owner"] = values["name"]
    return register(
        setting,
        values,
        ("parcel", "owner", "mailing", "tax"),
        ("value", "past"),
        title=lambda index: f"{label('tax')} {2005 + index % 19}, {people.town().name}",
    )


def bare_names(setting: Setting) -> PageMaker:
    """Lists of private persons by name and nothing else: a petition, a telephone tree, people who wait."""
    rng, people = setting.rng, setting.people
    name, join = namer(setting, initials=True), rng.choice(("\n", "\n", ", ", "; ", " / ", " - ", " • "))
    last, paired = rng.choice(("", ".", " etc.")), rng.random() < 0.15

    def row() -> str:
        text = name(people.person())
        return f"{text} → {name(people.person())}" if paired else text

    return lambda index, wanted: [
        f"{setting.some('rolls')} ({index + 1})",
        join.join(setting.fill(wanted - 5, row)) + last,
    ]


def passenger_manifests(setting: Setting) -> PageMaker:
    """Names as carriers write them: capital letters, surname first, numbered, a title, a seat."""
    rng, people = setting.rng, setting.people
    form, seats = rng.randrange(3), rng.random() < 0.5

    def row() -> str:
        *given, surname = ascii_words(people.name())
        text = (
            f"{surname}/{' '.join(given)} {rng.choice(('MR', 'MRS', 'MS'))}",
            f"{surname} {' '.join(given)}",
            f"{surname}, {given[0][0]}",
        )[form]
        return f"{rng.randint(1, 40)}{rng.choice('ABCDEF')} {text}" if seats else text

    def page(index: int, wanted: int) -> list[str]:
        head = f"PAX {rng.choice(ALPHABET)}{rng.choice(ALPHABET)}{rng.randint(100, 9999)} {people.numeric_date(people.day(2009, 2023))}"
        rows = setting.fill(wanted - 4, row)
        return [head, *(f"{number:>3}. {text}" for number, text in enumerate(rows, 1))] if form else [head, *rows]

    return page


def ascii_words(name: str) -> list[str]:
    """The words of a name in capital letters of the Latin alphabet."""
    return [ascii_slug(word).upper() for word in name.split() if ascii_slug(word)]


def class_lists(setting: Setting) -> PageMaker:
    """Pupils by class, names only."""
    rng, people = setting.rng, setting.people
    name, join, size = namer(setting), rng.choice((", ", "\n", "; ")), rng.randint(12, 30)
    numbered = rng.random() < 0.3

    def group() -> str:
        pupils = sorted(name(people.person()) for _ in range(size))
        if numbered:
            pupils = [f"{number}) {pupil}" for number, pupil in enumerate(pupils, 1)]
        return f"{rng.randint(1, 12)}{rng.choice('abcd')}: {join.join(pupils)}"

    return lambda index, wanted: [f"{setting.label('year')} {1998 + index % 26}", *setting.fill(wanted - 2, group)]


def membership_roll(setting: Setting) -> PageMaker:
    """Members of a party or a lodge: number, name, since when, town, date of birth."""
    rng, people, label = setting.rng, setting.people, setting.label
    values = values_of(setting) | {
        "member": lambda person: f"{rng.randint(1, 99_999):05}",
        "joined": lambda person: str(rng.randint(1975, 2023)),
    }
    return register(
        setting,
        values,
        ("member", "name", "joined", "address"),
        ("born", "mobile", "email"),
        title=lambda index: f"{label('member')} {people.town().name} {index + 1}",
    )


def evictions(setting: Setting) -> PageMaker:
    """Evictions, divorces and bankruptcies of private persons: parties, addresses, dates."""
    rng, people, label = setting.rng, setting.people, setting.label
    values = values_of(setting) | {
        "case": lambda person: (
            f"{rng.randint(2009, 2023)}-{rng.choice(('LT', 'DR', 'BK', 'SC'))}-{rng.randint(1, 99_999):05}"
        ),
        "proceeding": lambda person: setting.some("proceedings"),
        "plaintiff": lambda person: people.name(),
        "filed": lambda person: people.numeric_date(people.day(2009, 2023)),
    }
    values["defendant"] = values["name"]
    return register(
        setting,
        values,
        ("case", "proceeding", "defendant", "address"),
        ("plaintiff", "filed", "born"),
        title=lambda index: f"{label('proceeding')}: {setting.some('proceedings')} {index + 1}",
        told=rng.choice((0, 0, 20)),
    )
